"""`python -m deploy plan | apply | destroy`: options, messages, exit status."""

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
from deploy.provision.snowflake_account import refusal
from deploy.provision.summary import apply_summary
from pipeline.errors import PipelineError

Chosen = Annotated[Options, Parameter(name="*")]
CONTINUES = "The same command continues where this one stopped."

app = App(name="python -m deploy", version_flags=[])


@app.command(name="plan")
def _plan(options: Chosen | None = None) -> int:
    """Lists what `apply` would make and change on all three sides; writes nothing."""
    return _told(lambda: plan(options or Options(), tell), "nothing is planned")


@app.command(name="apply")
def _apply(options: Chosen | None = None) -> int:
    """Makes what is missing or differs on AWS, Snowflake and Prefect; may be repeated."""
    chosen = options or Options()

    def run() -> None:
        tell(apply_summary(apply(chosen, tell), chosen))
        tell("\npreflight; what is red belongs to the steps that are left:")
        run_preflight(load="snowpipe" if chosen.snowpipe else "copy", json=False, profile=chosen.profile)

    return _told(run, "stopped", CONTINUES)


@app.command(name="destroy")
def _destroy(
    options: Chosen | None = None,
    *,
    lake: Annotated[str | None, Parameter(help="Delete the lake too: the bucket of this name.")] = None,
    database: Annotated[str | None, Parameter(help="Drop the database too: SPOTIFY.")] = None,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask.")] = False,
) -> int:
    """Removes what `apply` made, after a question; lake and database only by name."""
    named = Named(lake, database)
    return _told(
        lambda: destroy(options or Options(), named, tell, _yes if yes else _asked), "stopped", CONTINUES
    )


def tell(line: str) -> None:
    """Prints at once: a step may take minutes."""
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def _yes() -> bool:
    return True


def _asked() -> bool:
    sys.stdout.write("Remove all that the plan names? Type yes: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"


def _told(run: Callable[[], object], happened: str, then: str = "") -> int:
    """Exit status 0, or 1 after one message."""
    try:
        with _one_message():
            run()
    except ProvisionFailed as error:
        sys.stderr.write(f"{happened}: {error}\n{then}".rstrip() + "\n")
        return 1
    return 0


@contextmanager
def _one_message() -> Iterator[None]:
    """Every expected error as ProvisionFailed; none of the messages holds a secret."""
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
