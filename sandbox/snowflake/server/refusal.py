"""Error response with HTTP status 200, which the connector does not retry."""

from snowflake.connector.errors import ProgrammingError
from starlette.responses import JSONResponse


def refusal(error: ProgrammingError) -> JSONResponse:
    """Returns the error in the format of the connector's protocol."""
    code = f"{error.errno:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate}
    return JSONResponse({"data": data, "code": code, "message": error.raw_msg, "success": False})
