"""What is to be made of the options: names, parameters of the stack, variables of the blocks."""

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
"""Names that sql/account gives; the variables may repeat them, not change them."""
UNKNOWN = Trust("arn:aws:iam::000000000000:root", "unknown")
"""Stands for Snowflake's side in a change set that is only shown."""


@dataclass(frozen=True)
class Goal:
    """`folder` ends with a slash, or is empty; `existing`: the bucket is not the stack's."""

    bucket: str
    existing: bool
    folder: str
    lake: SnowflakeLake
    queue: str | None
    given: dict[str, str]

    def stack_parameters(self, trust: Trust) -> dict[str, str]:
        """Values of the template's parameters: those given, and what the other sides need."""
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
    """The goal; raises for everything that would stop `apply` half-way and can be seen now."""
    variables, options = accounts.variables.values, accounts.options
    known = accounts.stack.parameters()
    name = options.bucket or known.get("BucketName") or variables.get("LAKE_BUCKET")
    bucket = Bucket(accounts.aws.s3, name or f"{options.stack}-{accounts.aws.account_id}")
    ours = known.get("BucketName") == bucket.name and known.get("ExistingBucket") == "false"
    existing = not ours and bucket.exists()
    if options.bucket and not (ours or existing):
        raise ProvisionFailed(
            f"There is no bucket {bucket.name}. --bucket names one that exists; to choose the name of a new "
            "one, write LAKE_BUCKET=… into .env"
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
    """What the blocks are made from: what the person has set, and what follows from the goal."""
    defaults = {"SNOWFLAKE_ACCOUNT": accounts.snowflake.identifier}
    fixed = {"LAKE_BUCKET": goal.bucket, "AWS_DEFAULT_REGION": accounts.aws.region}
    ours = {name: FIXED[name] for name in ("SNOWFLAKE_USER", "SNOWFLAKE_ADMIN_ROLE")}
    return defaults | accounts.variables.values | fixed | ours


def _refuse_other_names(variables: dict[str, str]) -> None:
    others = [name for name, value in FIXED.items() if variables.get(name, value).upper() != value]
    if others:
        raise NotRegistered(
            f"{', '.join(others)}: sql/account gives these names. Unset the variables, or set up the "
            "account by hand (docs/by-hand.md)"
        )


def _given(accounts: Accounts, known: dict[str, str]) -> dict[str, str]:
    """Parameters of the command line over those that the stack has, as far as the template knows them."""
    given = dict(one.partition("=")[::2] for one in accounts.options.parameter)
    in_template = accounts.stack.template_parameters()
    if unknown := sorted(given.keys() - in_template):
        raise ProvisionFailed(
            f"deploy/aws.yaml has no parameter {', '.join(unknown)}. It has {', '.join(sorted(in_template))}"
        )
    return {name: value for name, value in known.items() if name in in_template} | given


def _queue(accounts: Accounts, bucket: Bucket, folder: str) -> str | None:
    """ARN of the pipes' queue, if Snowpipe is wanted and a run has made pipes."""
    arn = accounts.snowflake.notification_channel() if accounts.options.snowpipe else None
    if arn is None:
        return None
    exists = bucket.exists()
    region, of_queue = bucket.region() if exists else accounts.aws.region, arn.split(":")[3]
    if region != of_queue:
        raise ProvisionFailed(
            f"Bucket {bucket.name} is in {region} and Snowflake's queue in {of_queue}; S3 notifies only "
            "queues of its own region. Use `load=copy`, or a bucket in the region of the Snowflake account"
        )
    if exists:
        bucket.must_notify(arn, folder)
    return arn
