"""Checks of an IAM role: that it exists, its trust policy, and each action that it needs."""

from collections.abc import Callable, Sequence
from functools import partial

from deploy.policies import Grant
from deploy.policy_evaluation import evaluate
from deploy.preflight.aws_account import AwsAccount, Missing, Role, not_found
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist, NotVisible
from pipeline.warehouse.messages import listed

CALLER = "AWS: caller"
UNKNOWN = "its policies have conditions that are not evaluated here"


def check_role(  # noqa: PLR0913, PLR0917 - the expected properties of a role
    checks: Checklist,
    account: AwsAccount,
    title: str,
    arn: str,
    trust: Callable[[Role], str],
    wanted: Sequence[Grant] | Callable[[], str],
    needs: Sequence[str],
) -> None:
    """Checks a role. `trust` returns who may assume it, or raises.

    `wanted`: actions on resources; or a function that raises NotVisible if there is nothing to compare with.
    """
    found: list[Role] = []
    checks.check(title, partial(_find, account, arn, found), [CALLER, *needs])
    checks.check(f"{title}: trust", lambda: trust(found[0]), [title])
    if not isinstance(wanted, Sequence):
        checks.check(f"{title}: policies", wanted)
        return
    for one in wanted:
        checks.check(action_check(title, one), partial(_expect, title, arn, found, one), [title])


def action_check(title: str, grant: Grant) -> str:
    """Name of the check of an action on a resource."""
    where = grant.resource.split(":", 5)[-1]
    return f"{title}: {grant.action} on {where}"


def _find(account: AwsAccount, arn: str, found: list[Role]) -> str:
    try:
        role = account.read_role(arn)
    except Missing:
        raise not_found(
            f"role {arn}", "python -m deploy apply creates it, or docs/by-hand.md, step 2"
        ) from None
    if role.arn != arn:
        raise ConfigurationError(f"the role's ARN is {role.arn}, not {arn}. Correct it", Code.AWS_DIFFERS)
    found.append(role)
    return f"{arn}, {len(role.policies)} policies"


def _expect(title: str, arn: str, found: list[Role], grant: Grant) -> str:
    decisions = {
        context.get("s3:prefix", ""): evaluate(found[0].policies, grant.action, grant.resource, context)
        for context in grant.contexts
    }
    if lacking := [prefix for prefix, decision in decisions.items() if decision == "denied"]:
        prefixes = listed(prefix for prefix in lacking if prefix)
        where = f" with the prefix {prefixes}" if prefixes else ""
        message = (
            f"{title} {arn} may not {grant.action} on {grant.resource}{where}. "
            "Run python -m deploy apply, or add it to the role's policy (docs/by-hand.md, step 2)"
        )
        raise ConfigurationError(message, Code.AWS_NOT_ALLOWED)
    if "unknown" in decisions.values():
        raise NotVisible(UNKNOWN)
    return "allowed"
