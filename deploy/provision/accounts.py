"""The three logins, checked before anything is written."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import snowflake.connector
from snowflake.connector.config_manager import CONFIG_MANAGER
from snowflake.connector.errors import Error as SnowflakeError

from blocks.prefect_api import address, connected
from blocks.variables import Variables, read_variables
from deploy.provision.aws_account import AwsAccount
from deploy.provision.changes import ProvisionFailed
from deploy.provision.snowflake_account import SnowflakeAccount, refusal
from deploy.provision.stack import CloudFormationStack

CONNECTIONS = (
    "Write the account, your user and how you log in into ~/.snowflake/connections.toml "
    "(docs/operations.md), or name another entry of it with --connection"
)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the person chose; names that the command line explains."""

    stack: str = "spotify-playlist-pipeline"
    pool: str = "spotify"
    bucket: str | None = None
    playlists: tuple[str, ...] = ()
    notify: str | None = None
    snowpipe: bool = False
    parameters: tuple[str, ...] = ()
    profile: str | None = None
    connection: str | None = None


@dataclass(frozen=True)
class Accounts:
    """The accounts as the person is logged in to them, and the variables of `.env` and the environment."""

    options: Options
    variables: Variables
    aws: AwsAccount
    snowflake: SnowflakeAccount
    stack: CloudFormationStack
    tell: Tell


@contextmanager
def logged_in(options: Options, tell: Tell) -> Iterator[Accounts]:
    """Logs in on all sides and tells as whom; raises unless each login works. Nothing is written."""
    variables = read_variables()
    aws = AwsAccount.logged_in(options.profile, variables.values.get("AWS_DEFAULT_REGION"))
    tell(f"AWS: account {aws.account_id}, region {aws.region}, as {aws.arn}")
    with closing(_snowflake(options.connection)) as connection, connected(variables.values):
        account = SnowflakeAccount(connection, tell)
        tell(f"Snowflake: account {account.account}, as {account.check_role()} with role ACCOUNTADMIN")
        tell(f"Prefect: {_prefect_address()}")
        stack = CloudFormationStack(aws.cloudformation, options.stack, tell)
        yield Accounts(options, variables, aws, account, stack, tell)


def _snowflake(name: str | None) -> Any:  # noqa: ANN401 - the connector's connection
    try:
        chosen = name or CONFIG_MANAGER["default_connection_name"]
        return snowflake.connector.connect(connection_name=chosen, client_session_keep_alive=True)
    except SnowflakeError as error:
        raise ProvisionFailed(f"No login to Snowflake ({refusal(error)}). {CONNECTIONS}") from None


def _prefect_address() -> str:
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - read again inside `connected`

    return address(str(PREFECT_API_URL.value()))
