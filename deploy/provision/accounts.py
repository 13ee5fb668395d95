"""Logins to AWS, Snowflake and Prefect, checked before anything is written."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import boto3
import snowflake.connector
from botocore.exceptions import ProfileNotFound
from cyclopts import Parameter
from snowflake.connector.config_manager import CONFIG_MANAGER
from snowflake.connector.errors import Error as SnowflakeError

from blocks.prefect_api import address, connected
from blocks.variables import Variables, read_variables
from deploy.changes import ProvisionFailed
from deploy.deployed_file import deploy_environment
from deploy.provision.aws_login import LOG_IN, AwsLogin
from deploy.provision.bucket import Bucket
from deploy.provision.option_checks import PLACEHOLDER, refuse_incomplete_file, refuse_wrong_options
from deploy.provision.snowflake_account import SnowflakeAccount, refusal
from deploy.provision.stack import CloudFormationStack

CONNECTIONS = (
    "Add account, user and authenticator to ~/.snowflake/connections.toml "
    "(docs/operations.md), or name another entry of the file with --connection"
)

REMEMBERED = "Default: as in .env or the last `apply`, else"
"""Start of the default of an option that .env.deployed remembers."""

Echo = Callable[[str], None]
"""Prints one line of progress."""


def _option(text: str) -> Parameter:
    return Parameter(help=text, negative=(), show_default=False)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `plan`, `apply` and `destroy`."""

    profile: Annotated[str | None, _option(f"AWS profile. {REMEMBERED} boto3's credential chain.")] = None
    connection: Annotated[str | None, _option("Entry of connections.toml. Default: its default entry.")] = (
        None
    )
    stack: Annotated[
        str, _option(f"Stack, and prefix of its roles' names. {REMEMBERED} spotify-playlist-pipeline.")
    ] = ""
    pool: Annotated[str, _option(f"Prefect work pool. {REMEMBERED} spotify.")] = ""
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

    def bucket(self, name: str) -> Bucket:
        """The bucket of this name, which has to belong to the account."""
        return Bucket(self.aws.s3, name, self.aws.account_id)


@contextmanager
def logged_in(options: Options, echo: Echo, *, needs_app: bool = True) -> Iterator[Accounts]:
    """Logs in to AWS, Snowflake and Prefect and prints as whom; raises if a login fails. Writes nothing.

    `needs_app`: the lines of `.env` have to be complete.
    """
    variables = read_variables()
    if needs_app:
        refuse_incomplete_file({"AWS_DEFAULT_REGION": _region(options)} | variables.values)
    refuse_wrong_options(options.stack, options.parameter, options.playlist)
    aws = AwsLogin.logged_in(options.profile, deploy_environment().get("AWS_DEFAULT_REGION"))
    echo(f"AWS: account {aws.account_id}, region {aws.region}, as {aws.arn}")
    with closing(_snowflake(options.connection)) as connection, connected(variables.values):
        account = SnowflakeAccount(connection, echo)
        echo(f"Snowflake: account {account.identifier}, as {account.check_role()} with role ACCOUNTADMIN")
        echo(f"Prefect: {_prefect_address()}")
        stack = CloudFormationStack(aws.cloudformation, options.stack, echo)
        yield Accounts(options, variables, aws, account, stack, echo)


def _region(options: Options) -> str:
    """Region of `.env.deployed`, else of the AWS profile."""
    try:
        of_profile = boto3.Session(profile_name=options.profile).region_name
    except ProfileNotFound as error:
        raise ProvisionFailed(f"{error}. {LOG_IN}") from None
    return deploy_environment().get("AWS_DEFAULT_REGION") or of_profile or PLACEHOLDER


def _snowflake(name: str | None) -> Any:  # noqa: ANN401 - the connector's connection
    try:
        chosen = name or CONFIG_MANAGER["default_connection_name"]
        return snowflake.connector.connect(connection_name=chosen, client_session_keep_alive=True)
    except SnowflakeError as error:
        raise ProvisionFailed(f"Login to Snowflake failed ({refusal(error)}). {CONNECTIONS}") from None


def _prefect_address() -> str:
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - `connected` changes it

    url = address(str(PREFECT_API_URL.value()))
    if re.match(r"https?://(localhost|127\.|\[?::1)", url):
        return f"{url}, which is this machine: containers on AWS cannot connect to it"
    return url
