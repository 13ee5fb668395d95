"""The three logins, checked before anything is written."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import snowflake.connector
from cyclopts import Parameter
from snowflake.connector.config_manager import CONFIG_MANAGER
from snowflake.connector.errors import Error as SnowflakeError

from blocks.prefect_api import address, connected
from blocks.variables import Variables, read_variables
from deploy.changes import ProvisionFailed
from deploy.provision.aws_login import AwsLogin
from deploy.provision.snowflake_account import SnowflakeAccount, refusal
from deploy.provision.stack import CloudFormationStack

CONNECTIONS = (
    "Write the account, your user and how you log in into ~/.snowflake/connections.toml "
    "(docs/operations.md), or name another entry of it with --connection"
)

Tell = Callable[[str], None]


def _option(text: str) -> Parameter:
    return Parameter(help=text, negative=())


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person chose."""

    profile: Annotated[str | None, _option("AWS profile; without it the default chain.")] = None
    connection: Annotated[str | None, _option("Entry of connections.toml; without it the default one.")] = (
        None
    )
    stack: Annotated[str, _option("Name of the stack, with which those of its roles begin.")] = (
        "spotify-playlist-pipeline"
    )
    pool: Annotated[str, _option("Name of Prefect's work pool.")] = "spotify"
    bucket: Annotated[str | None, _option("An existing bucket for the lake, which is not changed.")] = None
    parameter: Annotated[
        tuple[str, ...], _option("Parameter of deploy/aws.yaml, as RawDays=365; may be repeated.")
    ] = ()
    playlist: Annotated[
        tuple[str, ...], _option("What daily runs read, `mine` if nothing is named; may be repeated.")
    ] = ()
    notify: Annotated[
        str | None, _option("Notification block, as slack-webhook/data-team: also make the automations.")
    ] = None
    snowpipe: Annotated[bool, _option("Also notify the pipes of new files, for runs with load=snowpipe.")] = (
        False
    )


@dataclass(frozen=True)
class Accounts:
    """The accounts as the person is logged in to them, and the variables of `.env` and the environment."""

    options: Options
    variables: Variables
    aws: AwsLogin
    snowflake: SnowflakeAccount
    stack: CloudFormationStack
    tell: Tell


@contextmanager
def logged_in(options: Options, tell: Tell) -> Iterator[Accounts]:
    """Logs in on all sides and tells as whom; raises unless each login works. Nothing is written."""
    variables = read_variables()
    aws = AwsLogin.logged_in(options.profile, variables.values.get("AWS_DEFAULT_REGION"))
    tell(f"AWS: account {aws.account_id}, region {aws.region}, as {aws.arn}")
    with closing(_snowflake(options.connection)) as connection, connected(variables.values):
        account = SnowflakeAccount(connection, tell)
        tell(f"Snowflake: account {account.identifier}, as {account.check_role()} with role ACCOUNTADMIN")
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
