"""Refuses a second set-up in the same Snowflake account: its objects have fixed names."""

import re

from deploy.changes import ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.stack import DESCRIPTION

ROLE_SUFFIX = "-snowflake"
STACK_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
"""CloudFormation refuses a request for any other name."""


def refuse_other_set_up(accounts: Accounts) -> None:
    """Raises if the integration uses the role of another stack that exists."""
    arn = accounts.snowflake.integration_role()
    prefix = accounts.aws.role_arn("")
    if arn is None or not (arn.startswith(prefix) and arn.endswith(ROLE_SUFFIX)):
        return
    other = arn.removeprefix(prefix).removesuffix(ROLE_SUFFIX)
    if other == accounts.options.stack or not STACK_NAME.fullmatch(other):
        return
    stack = accounts.stack.described(other)
    if stack and str(stack.get("Description")).startswith(DESCRIPTION):
        raise ProvisionFailed(
            f"The integration SPOTIFY_LAKE belongs to stack {other}, and a Snowflake account has one set-up. "
            f"Add --stack {other}, or run `python -m deploy destroy --stack {other}` first"
        )
