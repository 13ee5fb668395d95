"""`python -m deploy plan | apply | destroy`: command line, messages and exit status."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from botocore.exceptions import BotoCoreError, ClientError
from cyclopts import App, Parameter
from pydantic import ValidationError
from snowflake.connector.errors import Error as SnowflakeError

from blocks.prefect_api import PrefectFailed
from blocks.validation import NotRegistered, wrong_fields
from deploy.automations import NoBlockError
from deploy.changes import ProvisionFailed
from deploy.preflight.command import run_preflight
from deploy.provision.accounts import Options
from deploy.provision.apply import apply, plan
from deploy.provision.destroy import Named, destroy
from deploy.provision.remembered import remembered
from deploy.provision.snowflake_account import refusal
from deploy.provision.summary import apply_summary, steps_left
from pipeline.errors import PipelineError

Chosen = Annotated[Options, Parameter(name="*")]
INTERRUPTED = "What AWS has begun to change, it finishes by itself."
INTERRUPTED_STATUS = 130
"""Exit status of a command that Ctrl-C ended."""
CONTINUES = "Run the same command again: it continues where this one stopped."

app = App(name="python -m deploy", version_flags=[])


@app.command(name="plan")
def _plan(options: Chosen | None = None) -> int:
    """Lists what `apply` would create and change in AWS, Snowflake and Prefect; writes nothing."""
    return _exit_status(lambda: plan(remembered(options), echo), "plan failed")


@app.command(name="apply")
def _apply(options: Chosen | None = None) -> int:
    """Creates what is missing and updates what differs in AWS, Snowflake and Prefect; idempotent."""

    def run() -> None:
        chosen = remembered(options)
        goal = apply(chosen, echo)
        echo(apply_summary(goal, chosen))
        echo("\npreflight (checks that are red now belong to the steps that are left):")
        run_preflight(load="snowpipe" if chosen.snowpipe else "copy", json=False, profile=chosen.profile)
        echo(steps_left(goal, chosen))

    return _exit_status(run, "stopped", CONTINUES)


@app.command(name="destroy")
def _destroy(
    options: Chosen | None = None,
    *,
    lake: Annotated[
        str | None, Parameter(help="Also delete the lake, the bucket of this name, with all files.")
    ] = None,
    database: Annotated[str | None, Parameter(help="Also drop the database of this name, SPOTIFY.")] = None,
    yes: Annotated[bool, Parameter(negative=(), help="Skip the confirmation.")] = False,
) -> int:
    """Deletes what `apply` created, after confirmation; lake and database only if you name them."""
    confirm = _always if yes else _ask
    named = Named(lake, database)
    return _exit_status(lambda: destroy(remembered(options), named, echo, confirm), "stopped", CONTINUES)


def echo(line: str) -> None:
    """Prints without buffering, because a step may take minutes."""
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def _always() -> bool:
    return True


def _ask() -> bool:
    sys.stdout.write("Delete everything listed above? Type yes: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"


def _exit_status(run: Callable[[], object], failed: str, then: str = "") -> int:
    """Runs it and returns 0; after an expected error prints one message and returns 1, after Ctrl-C 130."""
    try:
        with _as_provision_failed():
            run()
    except ProvisionFailed as error:
        sys.stderr.write(f"{failed}: {error}\n{then}".rstrip() + "\n")
        return 1
    except KeyboardInterrupt:  # otherwise cyclopts ends the process without a message
        sys.stderr.write(f"\n{failed}: interrupted. {INTERRUPTED}\n{then}".rstrip() + "\n")
        return INTERRUPTED_STATUS
    return 0


@contextmanager
def _as_provision_failed() -> Iterator[None]:
    """Raises every expected error as ProvisionFailed; no message contains a secret."""
    try:
        yield
    except SnowflakeError as error:
        raise ProvisionFailed(f"Snowflake refused a statement ({refusal(error)})") from None
    except (ClientError, BotoCoreError) as error:
        raise ProvisionFailed(f"AWS refused a request ({error})") from None
    except PipelineError as error:
        raise ProvisionFailed(error.message) from None
    except ValidationError as error:
        raise ProvisionFailed(f"correct {error.title}, {wrong_fields(error)}") from None
    except (NotRegistered, PrefectFailed, NoBlockError) as error:
        raise ProvisionFailed(str(error)) from None
