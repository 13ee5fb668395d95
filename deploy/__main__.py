"""`python -m deploy COMMAND`: the commands, each imported only when it is called."""

import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter

Options = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""Passed on unparsed, `--help` included, to the command's own parser."""

app = App(
    name="python -m deploy",
    help="Provisions the accounts and deploys the flows. Without a command: `deployments`.",
    version_flags=[],
)


@app.default
def _deploy_or_check(
    *, check: Annotated[bool, Parameter(negative=(), help="Same as `preflight`.")] = False
) -> int:
    return _preflight() if check else _deployments()


@app.command(name="plan", help_flags=[])
def _plan(*options: Options) -> object:
    """Lists what `apply` would create and change in AWS, Snowflake and Prefect; writes nothing."""
    return _provision("plan", options)


@app.command(name="apply", help_flags=[])
def _apply(*options: Options) -> object:
    """Creates what is missing and updates what differs in AWS, Snowflake and Prefect; idempotent."""
    return _provision("apply", options)


@app.command(name="destroy", help_flags=[])
def _destroy(*options: Options) -> object:
    """Deletes what `apply` created, after confirmation; lake and database only if you name them."""
    return _provision("destroy", options)


def _provision(name: str, options: tuple[str, ...]) -> object:
    from deploy.provision.command import app as command  # noqa: PLC0415 - imports Prefect and Snowflake

    return command([name, *options], result_action="return_value")


@app.command(name="deployments")
def _deployments() -> int:
    """Deploys all of prefect.yaml; refuses if a value it needs is missing or wrong."""
    from deploy.deployments import deploy_prefect_yaml  # noqa: PLC0415 - imports Prefect

    return deploy_prefect_yaml()


@app.command(name="release")
def _release() -> int:
    """Builds and pushes the image, then deploys. If PIPELINE_IMAGE is set: only deploys that image."""
    from deploy.deployments import release  # noqa: PLC0415 - imports Prefect

    return release()


@app.command(name="preflight")
def _preflight(
    *,
    before_apply: Annotated[
        bool,
        Parameter(negative=(), help="Only what `deployments` needs: values, work pool, `daily_playlists`."),
    ] = False,
    load: Annotated[
        Literal["copy", "snowpipe"],
        Parameter(help="How runs load. `snowpipe`: also require the pipes to exist."),
    ] = "copy",
    profile: Annotated[str | None, Parameter(help="AWS profile. Default: the shell's credentials.")] = None,
    json: Annotated[bool, Parameter(negative=(), help="Print the checks as JSON.")] = False,
) -> int:
    """Checks what runs depend on: deployments, work pool, roles, grants, automations. Changes nothing."""
    if before_apply:
        from deploy.deployments import check_prefect_yaml  # noqa: PLC0415 - imports Prefect

        return check_prefect_yaml()
    from deploy.preflight.command import run_preflight  # noqa: PLC0415 - imports Prefect

    return run_preflight(load=load, json=json, profile=profile)


@app.command(name="template")
def _template(pool_type: Literal["ecs", "ecs:push"], /) -> int:
    """Prints the work pool's base job template as JSON: `ecs:push` for Prefect Cloud, `ecs` for a worker."""
    from deploy.template import print_template  # noqa: PLC0415 - imports Prefect

    return print_template(pool_type)


@app.command(name="automations", help_flags=[])
def _automations(*options: Options) -> object:
    """Creates or updates the automations for runs that fail, crash, hang, wait or do not start."""
    from deploy.automations import app as command  # noqa: PLC0415 - imports Prefect

    return command(options, result_action="return_value")


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
