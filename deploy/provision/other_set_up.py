"""Refuses a second set-up in the same Snowflake account: its objects have fixed names."""

from deploy.changes import ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.stack import DESCRIPTION

ROLE_SUFFIX = "-snowflake"


def refuse_other_set_up(accounts: Accounts) -> None:
    """Raises if the integration uses the role of another stack that exists."""
    arn = accounts.snowflake.integration_role()
    prefix = accounts.aws.role_arn("")
    if arn is None or not (arn.startswith(prefix) and arn.endswith(ROLE_SUFFIX)):
        return
    other = arn.removeprefix(prefix).removesuffix(ROLE_SUFFIX)
    if other == accounts.options.stack:
        return
    stack = accounts.stack.described(other)
    if stack and str(stack.get("Description")).startswith(DESCRIPTION):
        raise ProvisionFailed(
            f"The integration SPOTIFY_LAKE belongs to stack {other}, and a Snowflake account has one set-up. "
            f"Add --stack {other}, or run `python -m deploy destroy --stack {other}` first"
        )
