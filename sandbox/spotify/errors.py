"""What the stand-in refuses, in Spotify's two forms."""

from sandbox.spotify.objects import Json


class RefusedError(Exception):
    """A request that the Web API refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"status": status, "message": message}}


class GrantRefusedError(Exception):
    """A request that the token endpoint refuses, always with 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body: Json = {"error": error, "error_description": description}
