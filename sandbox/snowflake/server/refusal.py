"""The response that reports an error, with HTTP status 200: the connector does not repeat the request."""

from snowflake.connector.errors import ProgrammingError
from starlette.responses import JSONResponse


def refusal(error: ProgrammingError) -> JSONResponse:
    """Returns the error as the connector reads it."""
    code = f"{error.errno:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate}
    return JSONResponse({"data": data, "code": code, "message": error.raw_msg, "success": False})
