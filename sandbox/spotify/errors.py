"""Refused requests, with Spotify's two formats of error bodies."""

from sandbox.spotify.objects import Json


class RefusedError(Exception):
    """Raised if the Web API refuses a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"status": status, "message": message}}


class GrantRefusedError(Exception):
    """Raised if the token endpoint refuses a request, always with status 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body: Json = {"error": error, "error_description": description}
