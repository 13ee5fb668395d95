"""SQL statements: refused, executed here, or rewritten for DuckDB by fakesnow."""
