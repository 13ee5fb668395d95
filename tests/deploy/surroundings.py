"""What runs depend on (AWS, Snowflake, Prefect), on stand-ins, set up as in docs/by-hand.md."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule

from deploy import automations
from deploy.account_grants import AccountGrant, account_grants
from deploy.policies import (
    EXECUTION_ROLE,
    SNOWFLAKE_ROLE,
    TASK_ROLE,
    Account,
    Grant,
    grants,
    trusted_by_ecs,
    trusted_by_snowflake,
)
from deploy.preflight.surroundings import (
    Known,
    Scope,
    check_accounts,
    check_surrounding_prefect,
    find_surrounding_lines,
)
from deploy.wanted_deployments import WantedDeployment, wanted_deployments
from pipeline.preflight.checks import Checklist, Line
from sandbox.account_objects import ROLE_ARN, connect
from sandbox.lake import notify_pipes
from sandbox.services import BUCKET
from tests.deploy import aws as account
from tests.deploy.aws import CLUSTER, REGION, Aws
from tests.deploy.rehearsal import POOL, client
from tests.deploy.test_prefect_yaml import SETTINGS
from tests.places import Place

NUMBER = account.TASK_ROLE.split(":")[4]
WORKER = "worker-of-the-tests"
LOG_GROUP = "/ecs/spotify-playlist-pipeline"
REPOSITORY, TAG = "spotify-playlist-pipeline", "0123456"
STAND_IN = "arn:aws:iam::000000000000:user/snowflake-stand-in"
ROLES = {
    "task role": account.TASK_ROLE,
    "execution role": account.EXECUTION_ROLE,
    "Snowflake's role": ROLE_ARN,
}
"""ARNs by the title of their checks."""


def role_grants(folder: str) -> dict[str, list[Grant]]:
    """Permissions of each role, by the title of its checks."""
    repository = f"arn:aws:ecr:{REGION}:{NUMBER}:repository/{REPOSITORY}"
    group = f"arn:aws:logs:{REGION}:{NUMBER}:log-group:{LOG_GROUP}:*"
    start = Account("", repository=repository, log_group=group)
    lake = Account(BUCKET, folder)
    wanted = (grants(TASK_ROLE, lake), grants(EXECUTION_ROLE, start), grants(SNOWFLAKE_ROLE, lake))
    return dict(zip(ROLES, wanted, strict=True))


@dataclass(frozen=True)
class Surroundings:
    """The set-up; `environment` is that of `deploy preflight`."""

    environment: dict[str, str]
    place: Place
    aws: Aws

    def lines(self, **environment: str) -> list[Line]:
        """All lines of `deploy preflight`, with changed variables."""
        return find_surrounding_lines(Scope({**self.environment, **environment}, SETTINGS))

    def lines_of_prefect(self) -> list[Line]:
        """Only the lines about Prefect."""
        checks = Checklist()
        check_surrounding_prefect(checks, Scope(self.environment, SETTINGS))
        return checks.lines

    def lines_of_accounts(self) -> list[Line]:
        """Only the lines about Snowflake and AWS, with Prefect unchanged."""
        checks, wanted = Checklist(), Scope(self.environment, SETTINGS)
        check_accounts(checks, wanted, self.known)
        return checks.lines

    @cached_property
    def known(self) -> Known:
        """Result of the checks of Prefect for the complete set-up."""
        return check_surrounding_prefect(Checklist(), Scope(self.environment, SETTINGS))

    def client(self, service: str) -> Any:
        """A client of the account's owner."""
        options = self.aws._options()  # noqa: SLF001 - its fixture
        make: Any = boto3.client
        return make(service, **options)

    def create(self) -> None:
        """Creates everything that `Place` has not created."""
        with client() as api:
            for one in api.read_deployments():
                api.delete_deployment(one.id)
            for automation in api.read_automations():
                api.delete_automation(automation.id)
        for title in ROLES:
            self.create_role(title)
        self.create_containers()
        self.notify()
        for wanted in self.wanted():
            self.deploy(wanted)
        self.watch()
        self.heartbeat()

    # AWS

    def allow(self, title: str, granted: Iterable[Grant]) -> None:
        """Replaces all permissions of a role; that of the execution role is a managed policy."""
        statements = [
            {"Effect": "Allow", "Action": [one.action], "Resource": one.resource} for one in granted
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam, name = self.client("iam"), ROLES[title].rpartition("/")[2]
        if title != "execution role":
            iam.put_role_policy(RoleName=name, PolicyName="lake", PolicyDocument=document)
            return
        arn = f"arn:aws:iam::{NUMBER}:policy/{name}"
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_policy(PolicyArn=arn)
        iam.create_policy(PolicyName=name, PolicyDocument=document)
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    def create_role(self, title: str) -> None:
        """Creates the role if it is missing, and resets its trust policy and permissions."""
        iam, name = self.client("iam"), ROLES[title].rpartition("/")[2]
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted_by_ecs(NUMBER)))
        self.trust(title)
        self.allow(title, role_grants(self.place.name)[title])

    def trust(self, title: str, document: dict[str, Any] | None = None) -> None:
        """Sets the trust policy of the role."""
        own = (
            trusted_by_snowflake(STAND_IN, "sandbox")
            if title == "Snowflake's role"
            else trusted_by_ecs(NUMBER)
        )
        name = ROLES[title].rpartition("/")[2]
        self.client("iam").update_assume_role_policy(
            RoleName=name, PolicyDocument=json.dumps(document or own)
        )

    def delete_role(self, title: str) -> None:
        """Deletes the role with its policies."""
        iam, name = self.client("iam"), ROLES[title].rpartition("/")[2]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=one)
        for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=one["PolicyArn"])
        iam.delete_role(RoleName=name)

    def keys_of_nobody(self) -> dict[str, str]:
        """Variables with credentials that allow sts:GetCallerIdentity only."""
        iam, name = self.client("iam"), "nobody"
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted_by_ecs(NUMBER)))
        who = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [who]})
        iam.put_role_policy(RoleName=name, PolicyName="who", PolicyDocument=document)
        keys = self.aws.role_keys(f"arn:aws:iam::{NUMBER}:role/{name}")
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["Token"],
        }

    def create_containers(self) -> None:
        """Creates cluster, log group and image if they are missing."""
        self.client("ecs").create_cluster(clusterName=CLUSTER)
        logs, ecr = self.client("logs"), self.client("ecr")
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=LOG_GROUP)
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=REPOSITORY)
        with suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(repositoryName=REPOSITORY, imageTag=TAG, imageManifest=MANIFEST)

    def notify(self, **changed: Any) -> None:
        """Sets the bucket's notification as the sandbox does, with the given changes."""
        s3 = self.place.s3
        notify_pipes(s3, BUCKET, self.channel())
        if changed:
            (queue,) = s3.get_bucket_notification_configuration(Bucket=BUCKET)["QueueConfigurations"]
            s3.put_bucket_notification_configuration(
                Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [queue | changed]}
            )

    def channel(self) -> str:
        """The queue of the pipes."""
        with connect(self.place.addresses.snowflake) as admin, admin.cursor() as cursor:
            cursor.execute(f"SHOW PIPES IN SCHEMA {self.place.database}.PLAYLISTS")
            names = [column.name for column in cursor.description]
            return str(cursor.fetchall()[0][names.index("notification_channel")])

    # Snowflake

    def account_grants(self) -> list[AccountGrant]:
        """The grants of sql/account, for the place's database."""
        return account_grants(
            {"spotify": self.place.database, "spotify.playlists": f"{self.place.database}.PLAYLISTS"}
        )

    def owned(self, grant: AccountGrant) -> str:
        """An existing object to which a grant on future objects applied."""
        with connect(self.place.addresses.snowflake) as admin, admin.cursor() as cursor:
            cursor.execute("SHOW GRANTS TO ROLE spotify_owner")
            found = [row[2] for row in cursor.fetchall() if row[:2] == ("OWNERSHIP", grant.kind)]
        return str(min(name for name in found if name.startswith(f"{grant.name}.")))

    def administer(self, statement: str) -> None:
        """Executes a statement as ACCOUNTADMIN."""
        with connect(self.place.addresses.snowflake) as admin, admin.cursor() as cursor:
            cursor.execute(statement)

    # Prefect

    def wanted(self) -> list[WantedDeployment]:
        """The deployments of prefect.yaml."""
        return wanted_deployments(SETTINGS, self.environment)

    def deploy(self, wanted: WantedDeployment, **changed: Any) -> None:
        """Creates a deployment like `prefect deploy`, with the fields that are compared and with changes."""
        entry = wanted.entry
        limit = entry["concurrency_limit"]
        fields: dict[str, Any] = {
            "name": entry["name"],
            "entrypoint": entry["entrypoint"],
            "tags": entry["tags"],
            "work_pool_name": entry["work_pool"]["name"],
            "job_variables": entry["work_pool"]["job_variables"],
            "schedules": schedules(entry.get("schedules", [])),
            "concurrency_limit": limit["limit"],
            "concurrency_options": ConcurrencyOptions(collision_strategy=limit["collision_strategy"]),
            "parameter_openapi_schema": wanted.form,
            "pull_steps": [],
            "parameters": {},
            "paused": False,
        }
        with client() as api:
            flow_id = api.create_flow_from_name(wanted.name.partition("/")[0])
            api.create_deployment(flow_id, **(fields | changed))

    def delete_deployment(self, name: str) -> None:
        """Deletes a deployment."""
        with client() as api:
            api.delete_deployment(api.read_deployment_by_name(name).id)

    def watch(self) -> None:
        """Creates the automations and their notification block."""
        kind: Any = CustomWebhookNotificationBlock
        kind(name="data-team", url="http://127.0.0.1:9").save("data-team", overwrite=True)
        assert automations.create(notify="custom-webhook/data-team") == 0

    def heartbeat(self) -> None:
        """Sends a heartbeat of a worker of the pool."""
        with client() as api:
            body = {"name": WORKER, "heartbeat_interval_seconds": 3600}
            api.request("POST", f"/work_pools/{POOL}/workers/heartbeat", json=body)  # type: ignore[arg-type]


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": "sha256:" + "0" * 64,
        },
        "layers": [],
    }
)


def schedules(entries: Iterable[Mapping[str, Any]], *, active: bool = True) -> list[DeploymentScheduleCreate]:
    """Schedules of prefect.yaml as Prefect takes them."""
    return [
        DeploymentScheduleCreate(
            schedule=CronSchedule(cron=one["cron"], timezone=one["timezone"]), slug=one["slug"], active=active
        )
        for one in entries
    ]
