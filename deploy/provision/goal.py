"""The desired state that follows from the options: names, stack parameters, variables of the blocks."""

from dataclasses import dataclass

from blocks.validation import NotRegistered
from blocks.variables import refuse_incomplete
from deploy.automations import notification_block
from deploy.changes import ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.bucket import Bucket
from deploy.provision.other_set_up import refuse_other_set_up
from deploy.provision.parameters import OF_BUCKET, given_parameters, refuse_wrong_values, template_parameters
from deploy.provision.prefect_objects import pool_type
from deploy.provision.remembered import chosen_bucket, remembered_folder
from deploy.provision.snowflake_account import ADMIN_USER, OWNER, USER, Trust
from deploy.provision.snowflake_objects import SnowflakeLake
from deploy.provision.user_key import refuse_full_slots
from deploy.provision.work_pool import refuse_other_type
from pipeline.lake.layout import TABLES_PREFIX

FIXED = {
    "SNOWFLAKE_USER": USER,
    "SNOWFLAKE_ROLE": "SPOTIFY_LOADER",
    "SNOWFLAKE_DATABASE": "SPOTIFY",
    "SNOWFLAKE_SCHEMA": "PLAYLISTS",
    "SNOWFLAKE_WAREHOUSE": "SPOTIFY_LOAD",
    "SNOWFLAKE_ADMIN_ROLE": OWNER,
    "SNOWFLAKE_ADMIN_USER": ADMIN_USER,
}
"""Names that are fixed in sql/account: the variables may be set to these values only."""
UNKNOWN = Trust("arn:aws:iam::000000000000:root", "unknown")
"""Placeholder in the change set of `plan`, before the integration exists."""


@dataclass(frozen=True)
class Goal:
    """Desired state.

    `existing`: the bucket exists and is not part of the stack. `folder`: empty, or with a slash at the end.
    `queue`: ARN of the pipes' queue, if the bucket has to notify it. `merged`: a person has configured the
    notification together with others, which the stack would replace. `given`: stack parameters set or kept.
    """

    bucket: str
    existing: bool
    folder: str
    lake: SnowflakeLake
    queue: str | None
    merged: bool
    given: dict[str, str]

    def stack_parameters(self, trust: Trust) -> dict[str, str]:
        """Values of the template's parameters: the given ones, and those that follow from the other sides."""
        queue = {"SnowpipeQueueArn": self.queue} if self.queue and not (self.existing or self.merged) else {}
        return {
            **self.given,
            "BucketName": self.bucket,
            "ExistingBucket": str(self.existing).lower(),
            "LakeFolder": self.folder,
            "SnowflakeUserArn": trust.user_arn,
            "SnowflakeExternalId": trust.external_id,
            "WorkPoolType": pool_type(),
            **queue,
        }


def find_goal(accounts: Accounts) -> Goal:
    """The desired state; raises for problems that would otherwise stop `apply` half-way."""
    variables, options = accounts.variables.values, accounts.options
    known = accounts.stack.parameters()
    _refuse_other_bucket(accounts, known)
    bucket = accounts.bucket(chosen_bucket(accounts, known))
    ours = known.get("BucketName") == bucket.name and known.get("ExistingBucket") == "false"
    existing = not ours and bucket.exists()
    if options.bucket and not (ours or existing):
        raise ProvisionFailed(
            f"There is no bucket {bucket.name}. --bucket takes an existing bucket; to name a new one, "
            "set LAKE_BUCKET in .env"
        )
    folder = _folder(accounts, known)
    role_arn = accounts.aws.role_arn(f"{options.stack}-snowflake")
    own_admin = "SNOWFLAKE_ADMIN_USER" in variables
    _refuse_forgotten_admin(accounts, own_admin=own_admin)
    lake = SnowflakeLake(role_arn, f"s3://{bucket.name}/{folder}{TABLES_PREFIX}", own_admin)
    _refuse_other_names(variables)
    _refuse_other_account(accounts)
    refuse_other_set_up(accounts)
    queue = _queue(accounts, bucket, folder)
    merged = queue is not None and bucket.exists() and bool(bucket.notifications(folder)[1])
    goal = Goal(
        bucket.name, existing, folder, lake, queue, merged, _given(accounts, known, existing=existing)
    )
    environment = block_variables(accounts, goal)
    refuse_incomplete(environment, has_key=True)
    refuse_full_slots(accounts.snowflake, environment)
    refuse_wrong_values(goal.stack_parameters(UNKNOWN))
    refuse_other_type(options.pool)
    if options.notify:
        notification_block(options.notify)
    return goal


def _refuse_forgotten_admin(accounts: Accounts, *, own_admin: bool) -> None:
    """Raises if a separate user sets up the schema and its variables are missing: `apply` would undo it."""
    if not own_admin and ("USER", ADMIN_USER) in accounts.snowflake.existing():
        raise ProvisionFailed(
            f"User {ADMIN_USER} sets up the schema, but SNOWFLAKE_ADMIN_USER is not set. Set it and its "
            f"private key in .env, or DROP USER {ADMIN_USER}"
        )


def _refuse_other_bucket(accounts: Accounts, known: dict[str, str]) -> None:
    """Raises if LAKE_BUCKET names another bucket than the stack's: the lake would not move without a word."""
    in_file, of_stack = accounts.variables.values.get("LAKE_BUCKET"), known.get("BucketName")
    if in_file and of_stack and in_file != of_stack and not accounts.options.bucket:
        raise ProvisionFailed(
            f"LAKE_BUCKET is {in_file}, but the lake of stack {accounts.options.stack} is {of_stack}. "
            f"Correct .env; or use another existing bucket with --bucket {in_file}"
        )


def _folder(accounts: Accounts, known: dict[str, str]) -> str:
    """Folder of the lake: of `.env`, else of the stack, else of the last `apply`."""
    of_stack = known.get("LakeFolder", "").rstrip("/")
    named = (
        accounts.variables.values.get("LAKE_FOLDER") or of_stack or remembered_folder(accounts.options.stack)
    )
    return f"{named}/" if named else ""


def block_variables(accounts: Accounts, goal: Goal) -> dict[str, str]:
    """Variables for the blocks: those that are set, and those that follow from the desired state."""
    fixed = {
        "SNOWFLAKE_ACCOUNT": accounts.snowflake.identifier,
        "LAKE_BUCKET": goal.bucket,
        "AWS_DEFAULT_REGION": accounts.aws.region,
    }
    if goal.folder:
        fixed["LAKE_FOLDER"] = goal.folder.rstrip("/")
    ours = {name: FIXED[name] for name in ("SNOWFLAKE_USER", "SNOWFLAKE_ADMIN_ROLE")}
    return accounts.variables.values | fixed | ours


def _refuse_other_names(variables: dict[str, str]) -> None:
    others = [name for name, value in FIXED.items() if variables.get(name, value).upper() != value]
    if others:
        raise NotRegistered(
            f"{', '.join(others)}: sql/account has fixed names for these. Unset the variables, or set up the "
            "account by hand (docs/by-hand.md)"
        )


def _refuse_other_account(accounts: Accounts) -> None:
    """Raises if SNOWFLAKE_ACCOUNT names another account than the one of the login."""
    named, of_login = accounts.variables.values.get("SNOWFLAKE_ACCOUNT"), accounts.snowflake.identifier
    if named and named.casefold().replace("_", "-") != of_login.casefold().replace("_", "-"):
        raise ProvisionFailed(
            f"SNOWFLAKE_ACCOUNT is {named}, but the login is to account {of_login}. Remove the variable: the "
            "blocks get the account of the login. For the other account, name its login with --connection"
        )


def _given(accounts: Accounts, known: dict[str, str], *, existing: bool) -> dict[str, str]:
    """Parameters of the command line, and the stack's values of the other parameters of the template."""
    given = given_parameters(accounts.options.parameter)
    if existing and (without_effect := [name for name in OF_BUCKET if name in given]):
        raise ProvisionFailed(
            f"--parameter {', '.join(without_effect)}: the bucket is not part of the stack, and its "
            "lifecycle is not changed. Set the rules on the bucket (docs/operations.md#retention)"
        )
    return {name: value for name, value in known.items() if name in template_parameters()} | given


def _queue(accounts: Accounts, bucket: Bucket, folder: str) -> str | None:
    """ARN of the pipes' queue, if --snowpipe is set and a run has created pipes."""
    if not accounts.options.snowpipe:
        return None
    arn, exists = accounts.snowflake.notification_channel(), bucket.exists()
    region = bucket.region() if exists else accounts.aws.region
    of_queue = arn.split(":")[3] if arn else accounts.snowflake.region()
    if region != of_queue:
        raise ProvisionFailed(
            f"Bucket {bucket.name} is in {region} and Snowflake's queue in {of_queue}; S3 notifies "
            "only queues of its region. Use `load=copy`, or a bucket in the region of the Snowflake account"
        )
    if arn and exists:
        bucket.must_notify(arn, folder)
    return arn
