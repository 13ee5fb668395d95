"""Faults in AWS: each permission of deploy/policies.py, roles and their trust, cluster, log group, image."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.policies import trusted_by_snowflake
from tests.deploy.aws import CLUSTER
from tests.deploy.rehearsal import ENOUGH
from tests.deploy.surroundings import LOG_GROUP, REPOSITORY, ROLES, STAND_IN, TAG, Surroundings, role_grants
from tests.deploy.taken_away import Case


def permissions() -> Iterator[tuple[str, Case]]:
    """Each action of each role on each resource is missing."""
    for title, granted in role_grants("").items():
        for place, one in enumerate(granted):

            @contextmanager
            def without(s: Surroundings, title: str = title, place: int = place) -> Iterator[dict[str, str]]:
                own = role_grants(s.place.name)[title]
                s.allow(title, [*own[:place], *own[place + 1 :]])
                yield {}
                s.allow(title, own)

            yield (
                f"{title}: {one.action} on {one.resource.split(':', 5)[-1]}",
                Case(without, (f"{title}: {one.action} on ",), f"may not {one.action} on "),
            )


def roles() -> Iterator[tuple[str, Case]]:
    """Each role is missing, or has a wrong trust policy."""
    for title in ROLES:

        @contextmanager
        def deleted(s: Surroundings, title: str = title) -> Iterator[dict[str, str]]:
            s.delete_role(title)
            yield {}
            s.create_role(title)

        @contextmanager
        def untrusted(s: Surroundings, title: str = title) -> Iterator[dict[str, str]]:
            s.trust(title, trusted_by_snowflake("arn:aws:iam::999999999999:root", "sandbox"))
            yield {}
            s.trust(title)

        yield title, Case(deleted, (title,), f"role {ROLES[title]} does not exist")
        yield f"{title}: trust", Case(untrusted, (f"{title}: trust",), f"role {ROLES[title]} does not let")

    @contextmanager
    def other_id(s: Surroundings) -> Iterator[dict[str, str]]:
        s.trust("Snowflake's role", trusted_by_snowflake(STAND_IN, "another"))
        yield {}
        s.trust("Snowflake's role")

    @contextmanager
    def no_id(s: Surroundings) -> Iterator[dict[str, str]]:
        document = trusted_by_snowflake(STAND_IN, "")
        del document["Statement"][0]["Condition"]
        s.trust("Snowflake's role", document)
        yield {}
        s.trust("Snowflake's role")

    red = ("Snowflake's role: trust",)
    yield "Snowflake's role: its external id", Case(other_id, red, "sts:ExternalId sandbox")
    yield "Snowflake's role: any external id", Case(no_id, red, "does not require the external id sandbox")


def containers() -> Iterator[tuple[str, Case]]:
    """Cluster, log group or image is missing."""

    def case(delete: Callable[[Surroundings], object], red: str, says: str) -> Case:
        @contextmanager
        def without(s: Surroundings) -> Iterator[dict[str, str]]:
            delete(s)
            yield {}
            s.create_containers()

        return Case(without, (red,), says)

    image = [{"imageTag": TAG}]
    yield (
        "ECS cluster",
        case(
            lambda s: s.client("ecs").delete_cluster(cluster=CLUSTER),
            "ECS cluster",
            "aws ecs create-cluster --cluster-name default",
        ),
    )
    yield (
        "log group",
        case(
            lambda s: s.client("logs").delete_log_group(logGroupName=LOG_GROUP),
            "log group",
            f"aws logs create-log-group --log-group-name {LOG_GROUP}",
        ),
    )
    yield (
        "image in ECR",
        case(
            lambda s: s.client("ecr").batch_delete_image(repositoryName=REPOSITORY, imageIds=image),
            "image in ECR",
            f"image {ENOUGH['PIPELINE_IMAGE']} does not exist",
        ),
    )


NOTIFICATIONS: dict[str, dict[str, Any]] = {
    "queue": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:prefect-ecs-tasks-events"},
    "event": {"Events": ["s3:ObjectRemoved:*"]},
    "prefix": {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "elsewhere/"}]}}},
    "suffix": {"Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv.gz"}]}}},
}


def notifications() -> Iterator[tuple[str, Case]]:
    """Each part of the bucket's notification is wrong."""
    for part, changed in NOTIFICATIONS.items():

        @contextmanager
        def without(s: Surroundings, changed: dict[str, Any] = changed) -> Iterator[dict[str, str]]:
            s.notify(**changed)
            yield {}
            s.notify()

        case = Case(without, ("bucket notifications",), "does not notify the pipes' queue")
        yield f"bucket notification: {part}", case
