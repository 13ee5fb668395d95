"""`python -m blocks COMMAND`: what writes the blocks. Each command is imported only when it is chosen."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

Options = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Passed on as they are, `--help` included."""

app = App(
    name="python -m blocks",
    help="Writes the Prefect blocks of the project. `COMMAND --help` lists its options.",
    version_flags=[],
)


@app.command(name="register", help_flags=[])
def _register(*options: Options) -> object:
    """Writes every block from environment variables or ./.env, or checks them."""
    from blocks.register import app as command  # noqa: PLC0415

    return command(options, result_action="return_value")


@app.command(name="authorize", help_flags=[])
def _authorize(*options: Options) -> object:
    """Stores a Spotify user's consent in the block, as a refresh token."""
    from blocks.authorize_spotify import app as command  # noqa: PLC0415

    return command(options, result_action="return_value")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
