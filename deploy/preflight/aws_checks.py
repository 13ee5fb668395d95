"""Checks of the AWS resources of a run: roles, cluster, log group, image."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from prefect.client.schemas.objects import BlockDocument, WorkPool

from deploy.policies import (
    ECS_TASKS,
    EXECUTION_ROLE,
    TASK_ROLE,
    Account,
    Grant,
    grants,
)
from deploy.policy_evaluation import evaluate_trust
from deploy.preflight.aws_account import AwsAccount, Missing, Role, looking, not_found
from deploy.preflight.pool_checks import POOL
from deploy.preflight.role_checks import CALLER, UNKNOWN, check_role
from deploy.preflight.value_checks import value_check
from deploy.template_differences import default
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist, NotVisible

TASK, EXECUTION = "task role", "execution role"
LOG_GROUP = "/ecs/spotify-playlist-pipeline"
IMAGE = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[\w./-]+)"
    r"(:(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)


@dataclass(frozen=True)
class Used:
    """AWS names found in blocks and work pool. `own_keys`: the aws block has keys, so runs use no role."""

    environment: Mapping[str, str]
    pool: WorkPool | None
    task_block: BlockDocument | None
    bucket: str = ""
    folder: str = ""
    own_keys: bool = False

    def filled_in(self, name: str) -> str:
        """Default of a variable in the pool's base job template; empty if there is none."""
        return str(default(self.pool.base_job_template, name) or "") if self.pool else ""

    @property
    def region(self) -> str | None:
        """Region in which ECS tasks start; None if the block does not name one."""
        return (self.task_block.data.get("region_name") if self.task_block else None) or None

    @property
    def image(self) -> re.Match[str] | None:
        """Parts of the image's name; None if it is not in ECR."""
        return IMAGE.fullmatch(self.environment.get("PIPELINE_IMAGE", ""))


def check_task_role(checks: Checklist, account: AwsAccount, used: Used, lake_check: str) -> None:
    """Checks the task role: the AWS permissions of a run."""
    arn = used.environment.get("ECS_TASK_ROLE_ARN", "")
    place = Account(used.bucket, used.folder, partition_of(arn))
    wanted = _keys_instead if used.own_keys else grants(TASK_ROLE, place)
    needs = [value_check("ECS_TASK_ROLE_ARN"), lake_check]
    check_role(checks, account, TASK, arn, partial(_trusts_ecs, account, used), wanted, needs)


def check_execution_role(checks: Checklist, account: AwsAccount, used: Used) -> None:
    """Checks the execution role, with which ECS pulls the image and writes the log."""
    arn = used.environment.get("ECS_EXECUTION_ROLE_ARN", "")
    needs = [value_check("ECS_EXECUTION_ROLE_ARN"), value_check("PIPELINE_IMAGE"), POOL]
    wanted = _execution_grants(account, used, partition_of(arn))
    check_role(checks, account, EXECUTION, arn, partial(_trusts_ecs, account, used), wanted, needs)


def _execution_grants(account: AwsAccount, used: Used, partition: str) -> list[Grant]:
    repository, image = "", used.image
    if image:
        repository = (
            f"arn:{partition}:ecr:{image['region']}:{image['registry']}:repository/{image['repository']}"
        )
    region = account.region_or_any(used.region)
    name = used.filled_in("log_group") or LOG_GROUP
    group = f"arn:{partition}:logs:{region}:{account.number}:log-group:{name}:*"
    secrets = (used.filled_in(f"prefect_api_{name}_secret_arn") for name in ("key", "auth_string"))
    found = grants(
        EXECUTION_ROLE, Account("", "", partition, repository, group, next(filter(None, secrets), ""))
    )
    return found if image else [one for one in found if not one.action.startswith("ecr:")]


def check_containers(checks: Checklist, account: AwsAccount, used: Used) -> None:
    """Checks that ECS cluster, log group and image exist."""
    checks.check("ECS cluster", partial(_find_cluster, account, used), [CALLER, POOL])
    checks.check("log group", partial(_find_log_group, account, used), [CALLER, POOL])
    checks.check("image in ECR", partial(_find_image, account, used), [CALLER, value_check("PIPELINE_IMAGE")])


def _find_cluster(account: AwsAccount, used: Used) -> str:
    name = used.filled_in("cluster") or "default"
    with looking(f"ecs:DescribeClusters on {name}"):
        ecs = account.client("ecs", account.region(used.region))
        found = ecs.describe_clusters(clusters=[name])["clusters"]
    if not any(one["status"] == "ACTIVE" for one in found):
        raise not_found(
            f"active ECS cluster {name}",
            f"python -m deploy apply, or aws ecs create-cluster --cluster-name {name}",
        )
    return name


def _find_log_group(account: AwsAccount, used: Used) -> str:
    name = used.filled_in("log_group") or LOG_GROUP
    with looking("logs:DescribeLogGroups"):
        logs = account.client("logs", account.region(used.region))
        found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    for one in found:
        if one["logGroupName"] == name:
            kept = one.get("retentionInDays")
            return f"{name}, {f'retention {kept} days' if kept else 'never expires'}"
    raise not_found(
        f"log group {name}", f"python -m deploy apply, or aws logs create-log-group --log-group-name {name}"
    )


def _find_image(account: AwsAccount, used: Used) -> str:
    if (image := used.image) is None:
        raise NotVisible(f"{used.environment['PIPELINE_IMAGE']} is not in ECR")
    wanted = {"imageTag": image["tag"]} if image["tag"] else {"imageDigest": image["digest"]}
    repository = image["repository"]
    try:
        with looking(f"ecr:DescribeImages on {repository}"):
            account.client("ecr", image["region"]).describe_images(
                registryId=image["registry"], repositoryName=repository, imageIds=[wanted]
            )
    except Missing:
        fix = "Build and push it (make deploy, or docs/by-hand.md, step 6), or correct PIPELINE_IMAGE"
        raise not_found(f"image {image[0]}", fix) from None
    return image[0]


def _trusts_ecs(account: AwsAccount, used: Used, role: Role) -> str:
    region = account.region_or_any(used.region)
    context = {
        "aws:SourceAccount": account.number,
        "aws:SourceArn": f"arn:{partition_of(role.arn)}:ecs:{region}:{account.number}:*",
    }
    return trusted(role, ("Service", ECS_TASKS), context)


def trusted(role: Role, principal: tuple[str, str], context: Mapping[str, str]) -> str:
    """Raises unless the role's trust policy allows the principal to assume it."""
    decision = evaluate_trust(role.trust, principal, context)
    if decision == "denied":
        conditions = "".join(f", {name} {value}" for name, value in context.items() if "External" in name)
        message = (
            f"the trust policy of role {role.arn} does not let {principal[1]}{conditions} assume it. "
            "Run python -m deploy apply; docs/by-hand.md, steps 2 and 3, has the policy"
        )
        raise ConfigurationError(message, Code.AWS_DIFFERS)
    if decision == "unknown":
        raise NotVisible(UNKNOWN)
    return principal[1]


def _keys_instead() -> str:
    raise NotVisible("runs use the keys of the lake's block, not this role: python -m flows preflight")


def partition_of(arn: str) -> str:
    """AWS partition of an ARN (its second part), for example `aws-cn`."""
    return next(iter(arn.split(":")[1:]), "aws")
