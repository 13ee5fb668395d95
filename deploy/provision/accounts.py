"""Logins to AWS, Snowflake and Prefect, checked before anything is written."""

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
    "Add account, user and authenticator to ~/.snowflake/connections.toml "
    "(docs/operations.md), or name another entry of the file with --connection"
)

Echo = Callable[[str], None]
"""Prints one line of progress."""


def _option(text: str) -> Parameter:
    return Parameter(help=text, negative=())


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `plan`, `apply` and `destroy`."""

    profile: Annotated[str | None, _option("AWS profile. Default: boto3's credential chain.")] = None
    connection: Annotated[str | None, _option("Entry of connections.toml. Default: its default entry.")] = (
        None
    )
    stack: Annotated[str, _option("Name of the stack, and prefix of the names of its roles.")] = (
        "spotify-playlist-pipeline"
    )
    pool: Annotated[str, _option("Name of the Prefect work pool.")] = "spotify"
    bucket: Annotated[
        str | None, _option("Existing bucket for the lake; its configuration is not changed.")
    ] = None
    parameter: Annotated[
        tuple[str, ...], _option("Parameter of deploy/aws.yaml, for example RawDays=365; may be repeated.")
    ] = ()
    playlist: Annotated[
        tuple[str, ...], _option("Playlist that daily runs read; may be repeated. Default: `mine`.")
    ] = ()
    notify: Annotated[
        str | None,
        _option("Notification block, for example slack-webhook/data-team: also create the automations."),
    ] = None
    snowpipe: Annotated[
        bool, _option("Also notify the pipes of new files, for runs with `load=snowpipe`.")
    ] = False


@dataclass(frozen=True)
class Accounts:
    """The open logins, and the variables of `.env` and the environment."""

    options: Options
    variables: Variables
    aws: AwsLogin
    snowflake: SnowflakeAccount
    stack: CloudFormationStack
    echo: Echo


@contextmanager
def logged_in(options: Options, echo: Echo) -> Iterator[Accounts]:
    """Logs in to AWS, Snowflake and Prefect and prints as whom; raises if a login fails. Writes nothing."""
    variables = read_variables()
    aws = AwsLogin.logged_in(options.profile, variables.values.get("AWS_DEFAULT_REGION"))
    echo(f"AWS: account {aws.account_id}, region {aws.region}, as {aws.arn}")
    with closing(_snowflake(options.connection)) as connection, connected(variables.values):
        account = SnowflakeAccount(connection, echo)
        echo(f"Snowflake: account {account.identifier}, as {account.check_role()} with role ACCOUNTADMIN")
        echo(f"Prefect: {_prefect_address()}")
        stack = CloudFormationStack(aws.cloudformation, options.stack, echo)
        yield Accounts(options, variables, aws, account, stack, echo)


def _snowflake(name: str | None) -> Any:  # noqa: ANN401 - the connector's connection
    try:
        chosen = name or CONFIG_MANAGER["default_connection_name"]
        return snowflake.connector.connect(connection_name=chosen, client_session_keep_alive=True)
    except SnowflakeError as error:
        raise ProvisionFailed(f"Login to Snowflake failed ({refusal(error)}). {CONNECTIONS}") from None


def _prefect_address() -> str:
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - `connected` changes it

    return address(str(PREFECT_API_URL.value()))
