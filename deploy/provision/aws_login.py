"""AWS login, and requests outside the stack: role of ECS, secret's value, starter's access keys, tasks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from deploy.changes import ProvisionFailed

LOG_IN = "Log in (`aws sso login`, or keys in ~/.aws/credentials), or name another profile with --profile"
ECS_ROLE = "AWSServiceRoleForECS"
"""Service-linked role of ECS, one for the account. A template could only create it where it is missing."""
NO_REGION = "No AWS region is set. Write AWS_DEFAULT_REGION=eu-west-1 (or another region) into .env"


class AccessKey(NamedTuple):
    """A new access key. AWS returns its secret only once, on creation."""

    key_id: str
    secret: str


@dataclass(frozen=True)
class AwsLogin:
    """An AWS session with the account and identity that it is logged in to."""

    session: boto3.Session
    account_id: str
    arn: str

    @classmethod
    def logged_in(cls, profile: str | None, region: str | None) -> "AwsLogin":
        """Logs in with a profile, or with boto3's credential chain; raises ProvisionFailed."""
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            if not session.region_name:
                raise ProvisionFailed(NO_REGION)
            caller = session.client("sts").get_caller_identity()
        except ProfileNotFound as error:
            raise ProvisionFailed(f"{error}. {LOG_IN}") from None
        except (BotoCoreError, ClientError) as error:
            raise ProvisionFailed(f"Login to AWS failed ({error}). {LOG_IN}") from None
        return cls(session, caller["Account"], caller["Arn"])

    @property
    def region(self) -> str:
        """Region in which everything is created."""
        return str(self.session.region_name)

    def role_arn(self, name: str) -> str:
        """ARN of a role of the account, which need not exist yet."""
        return f"arn:{self.arn.split(':')[1]}:iam::{self.account_id}:role/{name}"

    @cached_property
    def cloudformation(self) -> Any:  # noqa: ANN401 - boto3's client
        """A client of CloudFormation."""
        return self.session.client("cloudformation")

    @cached_property
    def s3(self) -> Any:  # noqa: ANN401 - boto3's client
        """A client of S3."""
        return self.session.client("s3")

    @cached_property
    def _secrets(self) -> Any:  # noqa: ANN401 - boto3's client
        return self.session.client("secretsmanager")

    @cached_property
    def _iam(self) -> Any:  # noqa: ANN401 - boto3's client
        return self.session.client("iam")

    def secret_equals(self, secret_arn: str, value: str) -> bool:
        """Returns True if the secret has this value."""
        try:
            return bool(self._secrets.get_secret_value(SecretId=secret_arn)["SecretString"] == value)
        except self._secrets.exceptions.ResourceNotFoundException:  # it has no value yet
            return False

    def put_secret(self, secret_arn: str, value: str) -> None:
        """Sets the value of the secret."""
        self._secrets.put_secret_value(SecretId=secret_arn, SecretString=value)

    def has_ecs_role(self) -> bool:
        """Returns True if ECS has its service-linked role in the account."""
        try:
            self._iam.get_role(RoleName=ECS_ROLE)
        except self._iam.exceptions.NoSuchEntityException:
            return False
        return True

    def create_ecs_role(self) -> None:
        """Creates the service-linked role of ECS, unless AWS has created it in the meantime."""
        try:
            self._iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
        except self._iam.exceptions.InvalidInputException as error:
            if "has been taken" not in str(error):
                raise

    def access_keys(self, user: str) -> list[str]:
        """Ids of the user's access keys; none if there is no such user."""
        try:
            listed = self._iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except self._iam.exceptions.NoSuchEntityException:
            return []
        return [one["AccessKeyId"] for one in listed]

    def user_tags(self, user: str) -> dict[str, str]:
        """Tags of a user; none if there is no such user."""
        try:
            listed = self._iam.list_user_tags(UserName=user)["Tags"]
        except self._iam.exceptions.NoSuchEntityException:
            return {}
        return {one["Key"]: one["Value"] for one in listed}

    def create_access_key(self, user: str) -> AccessKey:
        """Creates an access key of the user."""
        made = self._iam.create_access_key(UserName=user)["AccessKey"]
        return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])

    def delete_access_key(self, user: str, key_id: str) -> None:
        """Deletes an access key, if it exists."""
        try:
            self._iam.delete_access_key(UserName=user, AccessKeyId=key_id)
        except self._iam.exceptions.NoSuchEntityException:
            return
