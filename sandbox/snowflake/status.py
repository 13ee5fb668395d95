"""The status row that most statements return."""

from sqlglot import exp

SUCCESS = "Statement executed successfully."


def status(message: str) -> str:
    """Returns SQL for a status row."""
    return f'SELECT {exp.Literal.string(message).sql()} AS "status"'
