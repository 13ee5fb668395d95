"""SQL statements: checks privileges, executes some statements, and passes the others to fakesnow (DuckDB)."""
