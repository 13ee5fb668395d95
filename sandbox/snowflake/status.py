"""The single row that most statements return."""

from sqlglot import exp

SUCCESS = "Statement executed successfully."


def status(message: str) -> str:
    """Returns SQL for the row."""
    return f'SELECT {exp.Literal.string(message).sql()} AS "status"'
