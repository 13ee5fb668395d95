"""`python -m blocks register`: writes every block from environment variables; may be repeated."""

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
    check: Annotated[bool, Parameter(help="Only look: say what is missing or differs.")] = False,
    new_key_pair: Annotated[
        bool, Parameter(help="Make a key pair for Snowflake; the private key is kept in the block only.")
    ] = False,
    env_file: Annotated[
        Path | None,
        Parameter(
            help="Read this file, not ./.env. Of Prefect's settings it may hold PREFECT_API_URL, "
            "PREFECT_API_KEY and PREFECT_API_AUTH_STRING; no other one counts."
        ),
    ] = None,
) -> int:
    """Writes every block from environment variables, or from ./.env; may be repeated.

    Real environment variables win over the file, except AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN: these are read from the file only. docs/by-hand.md lists all.
    """
    try:
        variables = read_variables(env_file)
        _refuse_contradictions(variables.values, check=check, new_key_pair=new_key_pair)
        with connected(variables.values if env_file else {}):
            # These imports take seconds: only once it is certain that Prefect answers.
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
    sys.stderr.write(f"nothing is {'checked' if check else 'registered'}: {reason}\n")
    return 1


def _refuse_contradictions(environment: Environment, *, check: bool, new_key_pair: bool) -> None:
    if check and new_key_pair:
        raise NotRegistered("--check writes nothing, --new-key-pair does: choose one")
    if new_key_pair and "SNOWFLAKE_PRIVATE_KEY" in environment:
        raise NotRegistered("SNOWFLAKE_PRIVATE_KEY is set: unset it, or leave --new-key-pair out")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
