"""Read-only view of the AWS account, with the caller's own permissions."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import unquote

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.policies import Document
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import NotVisible

QUICK = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
MISSING = frozenset({"NoSuchEntity", "ClusterNotFoundException", "RepositoryNotFoundException"})
MISSING |= {"ImageNotFoundException", "ResourceNotFoundException", "NoSuchBucket"}
IAM_REGION = "us-east-1"
"""IAM and STS have no region; a client needs one."""


class Role(NamedTuple):
    """An IAM role: its trust policy and its permission policies."""

    arn: str
    trust: Document
    policies: list[Document]


class Missing(Exception):
    """AWS says that there is no such thing."""


@contextmanager
def looking(action: str) -> Iterator[None]:
    """Raises Missing if AWS has no such object, NotVisible if the caller may not see it or AWS fails."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            raise Missing from None
        raise NotVisible(f"these AWS credentials may not call {action} ({code})") from None
    except BotoCoreError as error:
        raise NotVisible(f"no response from AWS to {action} ({type(error).__name__})") from None


def not_found(what: str, fix: str) -> ConfigurationError:
    """The error of an AWS object that does not exist."""
    return ConfigurationError(f"{what} does not exist. {fix}", Code.AWS_NOT_FOUND)


class AwsAccount:
    """Clients with the credentials of the shell. `number`: account id, set by `find_caller`."""

    def __init__(self, environment: Mapping[str, str], profile: str | None) -> None:
        self._url = environment.get("AWS_ENDPOINT_URL")
        self._profile = profile
        self._region = environment.get("AWS_DEFAULT_REGION")
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()
        self._session: Any = None  # boto3 generates clients at run time
        self.number = ""

    def find_caller(self) -> str:
        """ARN of the caller; raises NotVisible without usable credentials."""
        with looking("sts:GetCallerIdentity"):
            found = self.client("sts", IAM_REGION).get_caller_identity()
        self.number = found["Account"]
        return str(found["Arn"])

    def region(self, own: str | None = None) -> str:
        """`own`, or the region of the shell; raises NotVisible if neither is set."""
        found = own or self._region or self._open().region_name
        if not found:
            raise NotVisible("no region is known. Set AWS_DEFAULT_REGION")
        return found

    def region_or_any(self, own: str | None = None) -> str:
        """The same; any region if neither is set. For ARNs that are only compared."""
        try:
            return self.region(own)
        except NotVisible:
            return IAM_REGION

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3 generates the types at run time
        """A client, cached by service and region."""
        with self._lock:  # sessions are not thread-safe
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._open().client(
                    service, region_name=region, endpoint_url=self._url, config=QUICK
                )
            return self._clients[key]

    def read_role(self, arn: str) -> Role:
        """A role by its ARN; raises Missing, or NotVisible."""
        if arn.split(":")[4] != self.number:
            raise NotVisible(f"{arn} is in another account than these AWS credentials ({self.number})")
        iam, name = self.client("iam", IAM_REGION), arn.rpartition("/")[2]
        with looking(f"iam:GetRole on {name}"):
            role = iam.get_role(RoleName=name)["Role"]
        with looking(f"iam:ListRolePolicies, GetRolePolicy on {name}"):
            policies = [
                iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
                for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
                for one in page["PolicyNames"]
            ]
        with looking(f"iam:ListAttachedRolePolicies, GetPolicy, GetPolicyVersion for {name}"):
            attached = [
                one["PolicyArn"]
                for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
                for one in page["AttachedPolicies"]
            ]
            policies += [_attached(iam, one) for one in attached]
        return Role(role["Arn"], _decoded(role["AssumeRolePolicyDocument"]), [*map(_decoded, policies)])

    def _open(self) -> Any:  # noqa: ANN401 - boto3
        if self._session is None:
            with looking(f"profile {self._profile}" if self._profile else "AWS's configuration"):
                self._session = Session(profile_name=self._profile)
        return self._session


def _attached(iam: Any, arn: str) -> Any:  # noqa: ANN401 - boto3
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _decoded(document: Any) -> Document:  # noqa: ANN401 - JSON, or its text
    found: Document = json.loads(unquote(document)) if isinstance(document, str) else document
    return found
