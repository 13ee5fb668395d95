"""`python -m deploy COMMAND`: what is deployed from here. Each command is imported only when it is chosen."""

import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter

Options = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Passed on as they are, `--help` included."""

app = App(
    name="python -m deploy",
    help="Provisions the accounts, and deploys the flows. Without a command: `deployments`.",
    version_flags=[],
)


@app.default
def _deploy_or_check(
    *, check: Annotated[bool, Parameter(negative=(), help="The same as `preflight`.")] = False
) -> int:
    return _preflight() if check else _deployments()


@app.command(name="plan", help_flags=[])
def _plan(*options: Options) -> object:
    """Lists what `apply` would make and change on all three sides; writes nothing."""
    return _provision("plan", options)


@app.command(name="apply", help_flags=[])
def _apply(*options: Options) -> object:
    """Makes what is missing or differs on AWS, Snowflake and Prefect; may be repeated."""
    return _provision("apply", options)


@app.command(name="destroy", help_flags=[])
def _destroy(*options: Options) -> object:
    """Removes what `apply` made, after a question; lake and database only by name."""
    return _provision("destroy", options)


def _provision(name: str, options: tuple[str, ...]) -> object:
    from deploy.provision.command import app as command  # noqa: PLC0415 - imports Prefect and Snowflake

    return command([name, *options], result_action="return_value")


@app.command(name="deployments")
def _deployments() -> int:
    """Deploys all of prefect.yaml, unless something it needs is missing or wrong."""
    from deploy.deployments import deploy_prefect_yaml  # noqa: PLC0415 - imports Prefect

    return deploy_prefect_yaml()


@app.command(name="release")
def _release() -> int:
    """Builds the image, pushes it, and deploys; with PIPELINE_IMAGE set it only deploys."""
    from deploy.deployments import release  # noqa: PLC0415 - imports Prefect

    return release()


@app.command(name="preflight")
def _preflight(
    *,
    before_apply: Annotated[
        bool,
        Parameter(
            negative=(), help="Only what stops a deployment: values, work pool, list of the daily run."
        ),
    ] = False,
    load: Annotated[
        Literal["copy", "snowpipe"], Parameter(help="How runs load; `snowpipe`: there have to be pipes.")
    ] = "copy",
    profile: Annotated[str | None, Parameter(help="AWS profile; without it the shell's credentials.")] = None,
    json: Annotated[bool, Parameter(negative=(), help="Print the checks as JSON.")] = False,
) -> int:
    """Checks everything that surrounds a run, and changes nothing."""
    if before_apply:
        from deploy.deployments import check_prefect_yaml  # noqa: PLC0415 - imports Prefect

        return check_prefect_yaml()
    from deploy.preflight.command import run_preflight  # noqa: PLC0415 - imports Prefect

    return run_preflight(load=load, json=json, profile=profile)


@app.command(name="template")
def _template(pool_type: Literal["ecs", "ecs:push"], /) -> int:
    """Prints the work pool's template as JSON: `ecs:push` on Prefect Cloud, `ecs` with a worker."""
    from deploy.template import print_template  # noqa: PLC0415 - imports Prefect

    return print_template(pool_type)


@app.command(name="automations", help_flags=[])
def _automations(*options: Options) -> object:
    """Creates or updates the notifications of runs that fail, hang, wait or are missing."""
    from deploy.automations import app as command  # noqa: PLC0415 - imports Prefect

    return command(options, result_action="return_value")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
