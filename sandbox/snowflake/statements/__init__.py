"""SQL statements: refused, answered here, or rewritten for DuckDB by fakesnow."""
