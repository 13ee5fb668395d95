"""Policies of the AWS roles, as data: the same as docs/by-hand.md shows.

`YOUR-BUCKET/` in a resource is a placeholder for the lake: the bucket, and the folder in it if there is one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.lake.layout import DETAILS_PREFIX, PREFIXES, TABLES_PREFIX, raw_prefix

Document = dict[str, Any]

BUCKET = "YOUR-BUCKET"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
REPOSITORY, LOG_GROUP, SECRET = "the image's repository", "the log group", "the secret of the API key"
ECS_TASKS = "ecs-tasks.amazonaws.com"
ASSUME = "sts:AssumeRole"
EXTERNAL_ID = "sts:ExternalId"
LIST = "s3:ListBucket"


class Statement(NamedTuple):
    """Actions that are allowed on resources.

    `prefixes`: key prefixes that s3:ListBucket is used with. `restricted`: the policy allows only these.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    restricted: bool = False


class Grant(NamedTuple):
    """One action on one resource. `contexts`: values of the condition keys in the requests that use it."""

    action: str
    resource: str
    contexts: tuple[Mapping[str, str], ...] = ({},)


TASK_ROLE = [
    Statement((LIST,), (BUCKET_ARN,), (raw_prefix(), DETAILS_PREFIX, TABLES_PREFIX)),
    Statement(("s3:GetObject", "s3:PutObject"), tuple(f"{BUCKET_ARN}/{prefix}*" for prefix in PREFIXES)),
]
SNOWFLAKE_ROLE = [
    Statement(("s3:GetObject", "s3:GetObjectVersion"), (f"{BUCKET_ARN}/{TABLES_PREFIX}*",)),
    Statement(("s3:GetBucketLocation",), (BUCKET_ARN,)),
    Statement((LIST,), (BUCKET_ARN,), (TABLES_PREFIX,), restricted=True),
]
IMAGE_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
EXECUTION_ROLE = [
    Statement(("ecr:GetAuthorizationToken",), ("*",)),
    Statement(IMAGE_ACTIONS, (REPOSITORY,)),
    Statement(("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), (LOG_GROUP,)),
    Statement(("secretsmanager:GetSecretValue",), (SECRET,)),
]
"""AmazonECSTaskExecutionRolePolicy, logs:CreateLogGroup, and reading the secret with Prefect's API key."""


class Account(NamedTuple):
    """Values of the placeholders; a resource whose placeholder has no value is left out."""

    bucket: str
    folder: str = ""
    partition: str = "aws"
    repository: str = ""
    log_group: str = ""
    secret: str = ""

    def fill_in(self, resource: str) -> str:
        """The resource with its placeholder replaced."""
        own = {REPOSITORY: self.repository, LOG_GROUP: self.log_group, SECRET: self.secret}
        bucket = resource.replace(f"{BUCKET}/", f"{self.bucket}/{self.key_prefix}").replace(
            BUCKET, self.bucket
        )
        return own.get(resource, bucket.replace("arn:aws:", f"arn:{self.partition}:"))

    @property
    def key_prefix(self) -> str:
        """Prefix of all keys of the lake: the folder with a slash, or empty."""
        folder = self.folder.strip("/")
        return f"{folder}/" if folder else ""


def grants(statements: Sequence[Statement], account: Account) -> list[Grant]:
    """Each action on each resource, without resources that have no value in the account."""
    return [
        Grant(action, resource, _contexts(one, account))
        for one in statements
        for action in one.actions
        for resource in map(account.fill_in, one.resources)
        if resource
    ]


def document(statements: Sequence[Statement]) -> Document:
    """The policy document, as docs/by-hand.md shows it."""
    return {"Version": "2012-10-17", "Statement": [_as_json(one) for one in statements]}


def trusted_by_ecs(account: str) -> Document:
    """Trust policy of the roles that ECS assumes for containers of this account."""
    condition = {"StringEquals": {"aws:SourceAccount": account}}
    return _trust({"Principal": {"Service": ECS_TASKS}, "Condition": condition})


def trusted_by_snowflake(user_arn: str, external_id: str) -> Document:
    """Trust policy of the role that Snowflake assumes."""
    condition = {"StringEquals": {EXTERNAL_ID: external_id}}
    return _trust({"Principal": {"AWS": user_arn}, "Condition": condition})


def _contexts(one: Statement, account: Account) -> tuple[Mapping[str, str], ...]:
    return tuple({"s3:prefix": f"{account.key_prefix}{prefix}"} for prefix in one.prefixes) or ({},)


def _as_json(one: Statement) -> Document:
    allowed = {"Effect": "Allow", "Action": [*one.actions], "Resource": [*one.resources]}
    only = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in one.prefixes]}}
    return allowed | ({"Condition": only} if one.restricted else {})


def _trust(who: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ASSUME, **who}]}
