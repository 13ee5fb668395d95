"""Checks of Snowflake's access to the lake: the IAM role it assumes, and the bucket notifications."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from deploy.policies import EXTERNAL_ID, SNOWFLAKE_ROLE, Account, grants
from deploy.policy_evaluation import evaluate_trust
from deploy.preflight.aws_account import AwsAccount, Missing, Role, looking, not_found
from deploy.preflight.aws_checks import Used, partition_of, trusted
from deploy.preflight.integration_checks import INTEGRATION_CHECK, PIPES, LakeAccess
from deploy.preflight.role_checks import CALLER, check_role
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import SUFFIXES, TABLES_PREFIX
from pipeline.preflight.checks import Checklist

ROLE = "Snowflake's role"
NOTIFICATIONS = "bucket notifications"
CREATED = "s3:ObjectCreated:*"


def check_snowflake_role(checks: Checklist, account: AwsAccount, used: Used, found: LakeAccess) -> None:
    """Checks the IAM role of the integration."""
    arn = found.integration.get("STORAGE_AWS_ROLE_ARN", "")
    wanted = grants(SNOWFLAKE_ROLE, Account(used.bucket, used.folder, partition_of(arn)))
    trust = partial(_trusts_snowflake, found.integration)
    check_role(checks, account, ROLE, arn, trust, wanted, [INTEGRATION_CHECK])


def _trusts_snowflake(integration: Mapping[str, str], role: Role) -> str:
    """Snowflake's user may assume the role with the integration's external id, and only with it."""
    user, own = integration["STORAGE_AWS_IAM_USER_ARN"], integration["STORAGE_AWS_EXTERNAL_ID"]
    trusted(role, ("AWS", user), {EXTERNAL_ID: own})
    if evaluate_trust(role.trust, ("AWS", user), {EXTERNAL_ID: f"not {own}"}) == "allowed":
        message = (
            f"the trust policy of role {role.arn} does not require the external id {own}, so other "
            "customers of Snowflake could read the lake. Run python -m deploy apply; docs/by-hand.md, "
            "step 3, has the policy"
        )
        raise ConfigurationError(message, Code.AWS_DIFFERS)
    return f"{user}, with the external id"


def check_notifications(checks: Checklist, account: AwsAccount, used: Used, found: LakeAccess) -> None:
    """Checks that the bucket notifies the pipes' queue of their files. Without pipes there is no check."""
    for channel in sorted(found.channels):
        run = partial(_find_notification, account, used, channel)
        checks.check(NOTIFICATIONS, run, [CALLER, PIPES])


def _find_notification(account: AwsAccount, used: Used, channel: str) -> str:
    try:
        with looking(f"s3:GetBucketNotification on {used.bucket}"):
            s3 = account.client("s3", account.region_or_any())
            configuration = s3.get_bucket_notification_configuration(Bucket=used.bucket)
    except Missing:
        raise not_found(f"bucket {used.bucket}", "Create it, or correct LAKE_BUCKET") from None
    prefix = f"{Account(used.bucket, used.folder).key_prefix}{TABLES_PREFIX}"
    queues = [one for one in configuration.get("QueueConfigurations", []) if one["QueueArn"] == channel]
    problems = [_problem(one, prefix) for one in queues]
    if None in problems:
        return channel
    what = f": it has {'; '.join(filter(None, problems))}" if problems else ""
    message = (
        f"bucket {used.bucket} does not notify the pipes' queue {channel} of files in {prefix}{what}. "
        f"Add an event notification for {CREATED} to that queue, prefix {prefix}, "
        f"suffix {SUFFIXES['snowpipe']} "
        "(docs/operations.md, Snowpipe)"
    )
    raise ConfigurationError(message, Code.NOTIFICATION_MISSING)


def _problem(one: Mapping[str, Any], prefix: str) -> str | None:
    """What is wrong with a notification. A shorter prefix is fine; another suffix matches COPY's files."""
    rules: Sequence[Mapping[str, str]] = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    has = {rule["Name"].lower(): rule["Value"] for rule in rules}
    if not {CREATED, "s3:ObjectCreated:Put"} & set(one["Events"]):
        return f"the events {', '.join(one['Events'])}"
    if not prefix.startswith(has.get("prefix", "")):
        return f"the prefix {has['prefix']}"
    if has.get("suffix") != SUFFIXES["snowpipe"]:
        return f"the suffix {has.get('suffix', '')!r}"
    return None
