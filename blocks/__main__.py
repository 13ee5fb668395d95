"""`python -m blocks COMMAND`: writes the blocks. A command is imported only when it is called."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

Options = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Passed on unchanged, `--help` included."""

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
    """Authorises the app as a Spotify user; stores the refresh token in the block."""
    from blocks.authorize_spotify import app as command  # noqa: PLC0415

    return command(options, result_action="return_value")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
