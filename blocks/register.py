"""`python -m blocks register`: writes every block from environment variables. Idempotent."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from pydantic import ValidationError

from blocks.prefect_api import PrefectFailed, connected
from blocks.validation import NotRegistered, wrong_fields
from blocks.variables import Environment, read_variables

app = App(name="python -m blocks register", version_flags=[], default_parameter=Parameter(negative=()))


@app.default
def main(
    *,
    check: Annotated[
        bool, Parameter(help="Write nothing: print which blocks are missing or differ.")
    ] = False,
    new_key_pair: Annotated[
        bool,
        Parameter(help="Create a key pair for Snowflake. The private key is stored only in the block."),
    ] = False,
    env_file: Annotated[
        Path | None,
        Parameter(
            help="Read this file instead of ./.env. Of Prefect's settings, only PREFECT_API_URL, "
            "PREFECT_API_KEY and PREFECT_API_AUTH_STRING are read from it."
        ),
    ] = None,
) -> int:
    """Writes every block from environment variables and ./.env. Can be repeated.

    Environment variables override the file, except AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN, which are read only from the file. docs/by-hand.md lists all variables.
    """
    try:
        variables = read_variables(env_file)
        _refuse_contradictions(variables.values, check=check, new_key_pair=new_key_pair)
        with connected(variables.values if env_file else {}):
            # These imports take seconds, so they come after the check that Prefect responds.
            from blocks.registration import check_blocks, register_blocks  # noqa: PLC0415

            if check:
                return check_blocks(variables.values)
            return register_blocks(variables, new_key_pair=new_key_pair)
    except ValidationError as error:
        reason = f"correct {error.title}, {wrong_fields(error)}"
    except NotRegistered as error:
        reason = str(error)
    except PrefectFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"nothing was {'checked' if check else 'registered'}: {reason}\n")
    return 1


def _refuse_contradictions(environment: Environment, *, check: bool, new_key_pair: bool) -> None:
    if check and new_key_pair:
        raise NotRegistered("--check writes nothing, but --new-key-pair does: use only one of them")
    if new_key_pair and "SNOWFLAKE_PRIVATE_KEY" in environment:
        raise NotRegistered("SNOWFLAKE_PRIVATE_KEY is set: unset it, or omit --new-key-pair")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
