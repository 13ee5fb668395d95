"""The desired state that follows from the options: names, stack parameters, variables of the blocks."""

from dataclasses import dataclass

from blocks.validation import NotRegistered
from blocks.variables import refuse_incomplete
from deploy.changes import ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.bucket import Bucket
from deploy.provision.prefect_objects import pool_type
from deploy.provision.snowflake_account import OWNER, USER, Trust
from deploy.provision.snowflake_objects import SnowflakeLake
from pipeline.lake.layout import TABLES_PREFIX

FIXED = {
    "SNOWFLAKE_USER": USER,
    "SNOWFLAKE_ROLE": "SPOTIFY_LOADER",
    "SNOWFLAKE_DATABASE": "SPOTIFY",
    "SNOWFLAKE_SCHEMA": "PLAYLISTS",
    "SNOWFLAKE_WAREHOUSE": "SPOTIFY_LOAD",
    "SNOWFLAKE_ADMIN_ROLE": OWNER,
}
"""Names that are fixed in sql/account: the variables may be set to these values only."""
UNKNOWN = Trust("arn:aws:iam::000000000000:root", "unknown")
"""Placeholder in the change set of `plan`, before the integration exists."""


@dataclass(frozen=True)
class Goal:
    """Desired state.

    `existing`: the bucket exists and is not part of the stack. `folder`: empty, or with a slash at the end.
    `queue`: ARN of the pipes' queue, if the bucket has to notify it. `given`: stack parameters set or kept.
    """

    bucket: str
    existing: bool
    folder: str
    lake: SnowflakeLake
    queue: str | None
    given: dict[str, str]

    def stack_parameters(self, trust: Trust) -> dict[str, str]:
        """Values of the template's parameters: the given ones, and those that follow from the other sides."""
        queue = {"SnowpipeQueueArn": self.queue} if self.queue and not self.existing else {}
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
    name = options.bucket or known.get("BucketName") or variables.get("LAKE_BUCKET")
    bucket = Bucket(accounts.aws.s3, name or f"{options.stack}-{accounts.aws.account_id}")
    ours = known.get("BucketName") == bucket.name and known.get("ExistingBucket") == "false"
    existing = not ours and bucket.exists()
    if options.bucket and not (ours or existing):
        raise ProvisionFailed(
            f"There is no bucket {bucket.name}. --bucket takes an existing bucket; to name a new one, "
            "set LAKE_BUCKET in .env"
        )
    folder = f"{variables['LAKE_FOLDER']}/" if variables.get("LAKE_FOLDER") else ""
    role_arn = accounts.aws.role_arn(f"{options.stack}-snowflake")
    lake = SnowflakeLake(role_arn, f"s3://{bucket.name}/{folder}{TABLES_PREFIX}")
    _refuse_other_names(variables)
    goal = Goal(
        bucket.name, existing, folder, lake, _queue(accounts, bucket, folder), _given(accounts, known)
    )
    refuse_incomplete(block_variables(accounts, goal), has_key=True)
    return goal


def block_variables(accounts: Accounts, goal: Goal) -> dict[str, str]:
    """Variables for the blocks: those that are set, and those that follow from the desired state."""
    defaults = {"SNOWFLAKE_ACCOUNT": accounts.snowflake.identifier}
    fixed = {"LAKE_BUCKET": goal.bucket, "AWS_DEFAULT_REGION": accounts.aws.region}
    ours = {name: FIXED[name] for name in ("SNOWFLAKE_USER", "SNOWFLAKE_ADMIN_ROLE")}
    return defaults | accounts.variables.values | fixed | ours


def _refuse_other_names(variables: dict[str, str]) -> None:
    others = [name for name, value in FIXED.items() if variables.get(name, value).upper() != value]
    if others:
        raise NotRegistered(
            f"{', '.join(others)}: sql/account has fixed names for these. Unset the variables, or set up the "
            "account by hand (docs/by-hand.md)"
        )


def _given(accounts: Accounts, known: dict[str, str]) -> dict[str, str]:
    """Parameters of the command line, and the stack's values of the other parameters of the template."""
    given = dict(one.partition("=")[::2] for one in accounts.options.parameter)
    in_template = accounts.stack.template_parameters()
    if unknown := sorted(given.keys() - in_template):
        raise ProvisionFailed(
            f"deploy/aws.yaml has no parameter {', '.join(unknown)}. It has {', '.join(sorted(in_template))}"
        )
    return {name: value for name, value in known.items() if name in in_template} | given


def _queue(accounts: Accounts, bucket: Bucket, folder: str) -> str | None:
    """ARN of the pipes' queue, if --snowpipe is set and a run has created pipes."""
    arn = accounts.snowflake.notification_channel() if accounts.options.snowpipe else None
    if arn is None:
        return None
    exists = bucket.exists()
    region, of_queue = bucket.region() if exists else accounts.aws.region, arn.split(":")[3]
    if region != of_queue:
        raise ProvisionFailed(
            f"Bucket {bucket.name} is in {region} and Snowflake's queue in {of_queue}; S3 notifies "
            "only queues of its region. Use `load=copy`, or a bucket in the region of the Snowflake account"
        )
    if exists:
        bucket.must_notify(arn, folder)
    return arn
