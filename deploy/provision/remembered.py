"""Options that are not given: of `.env` or the environment, else those of the last `apply`."""

from collections.abc import Mapping
from dataclasses import replace

from deploy.deployed_file import deploy_environment, deploy_profile, stored_variables
from deploy.provision.accounts import Accounts, Options

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


def chosen_bucket(accounts: Accounts, known: Mapping[str, str]) -> str:
    """Bucket of --bucket, of the stack (`known`: its parameters), of `.env`, of the last `apply`, or new."""
    stack, in_file = accounts.options.stack, accounts.variables.values.get("LAKE_BUCKET")
    name = accounts.options.bucket or known.get("BucketName") or in_file or remembered_bucket(stack)
    return name or f"{stack}-{accounts.aws.account_id}"


def remembered_bucket(stack: str) -> str | None:
    """Bucket of the last `apply` to this stack."""
    return _of_stack(stack).get("LAKE_BUCKET")


def remembered_folder(stack: str) -> str | None:
    """Folder of the lake of the last `apply` to this stack."""
    return _of_stack(stack).get("LAKE_FOLDER")


def _of_stack(stack: str) -> dict[str, str]:
    stored = stored_variables()
    return stored if stored.get("DEPLOY_STACK", DEFAULT_STACK) == stack else {}
