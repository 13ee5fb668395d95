"""Options that are not given: of `.env` or the environment, else those of the last `apply`."""

from dataclasses import replace

from deploy.deployed_file import deploy_environment, deploy_profile, stored_variables
from deploy.provision.accounts import Options

DEFAULT_STACK, DEFAULT_POOL = "spotify-playlist-pipeline", "spotify"
OF_LAKE = ("DEPLOY_STACK", "LAKE_BUCKET", "LAKE_FOLDER", "AWS_DEFAULT_REGION", "AWS_PROFILE")
"""Variables with which a later command finds a lake that `destroy` has kept."""


def remembered(options: Options | None) -> Options:
    """The options, with stack, pool and profile filled in."""
    given, variables = options or Options(), deploy_environment()
    return replace(
        given,
        stack=given.stack or variables.get("DEPLOY_STACK", DEFAULT_STACK),
        pool=given.pool or variables.get("PREFECT_WORK_POOL", DEFAULT_POOL),
        profile=given.profile or deploy_profile(),
    )


def remembered_bucket(stack: str) -> str | None:
    """Bucket of the last `apply` to this stack."""
    return _of_stack(stack).get("LAKE_BUCKET")


def remembered_folder(stack: str) -> str | None:
    """Folder of the lake of the last `apply` to this stack."""
    return _of_stack(stack).get("LAKE_FOLDER")


def _of_stack(stack: str) -> dict[str, str]:
    stored = stored_variables()
    return stored if stored.get("DEPLOY_STACK", DEFAULT_STACK) == stack else {}
