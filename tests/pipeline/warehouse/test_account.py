"""A dedicated account: migration from the previous release, and what administrators and analysts may do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, get_args

import pytest

from pipeline.columns import TABLES, history
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.lake.store import Lake
from pipeline.warehouse import setup
from pipeline.warehouse.views import VIEWS, view_files
from sandbox.account_objects import (
    GRANT_OWNER,
    ROLE_ARN,
    connect,
    create_account_objects,
    public_key,
    statements,
)
from sandbox.lake import create_lake
from sandbox.services import Addresses, s3_client
from sandbox.snowflake.server.app import create_app
from sandbox.spotify.catalogue import CHARTS
from tests.pipeline.warehouse.older_versions import ACCOUNT, execute, set_up_older
from tests.places import Place
from tests.serving import running
from tests.tiers import enumerated
from tests.warehouses import DAY, Warehouse

DOCS = Path(__file__).parents[3] / "docs"
BY_HAND, OPERATIONS = DOCS / "by-hand.md", DOCS / "operations.md"


@dataclass(frozen=True)
class Account(Warehouse):
    """A warehouse in the database that sql/account creates, with its own bucket."""

    bucket: str = ""

    @property
    def lake(self) -> Lake:
        """A lake without a folder: the entire bucket."""
        return Lake(self.place.s3, self.bucket, "")

    @property
    def tables_url(self) -> str:
        """The location that Snowflake may read."""
        return f"s3://{self.bucket}/{TABLES_PREFIX}"

    def administer(self, *sql: str, role: str = "ACCOUNTADMIN") -> list[Any]:
        """Executes statements as an administrator; returns the rows of the last."""
        with connect(self.place.addresses.snowflake, role=role, warehouse="SPOTIFY_LOAD") as connection:
            cursor = connection.cursor()
            for statement in sql:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def run_script(self, name: str, **parts: str) -> None:
        """Executes a file of sql/account as an administrator."""
        self.administer(*statements(name, **parts))


@pytest.fixture
def account(addresses: Addresses) -> Iterator[Account]:
    """An empty account."""
    with running(create_app(addresses.s3, idle_abort=1.0), lifespan=True) as url:
        bucket = f"own-{token_hex(4)}"
        create_lake(s3_client(addresses.s3), bucket, url)
        yield Account(Place(replace(addresses, snowflake=url), "spotify"), bucket=bucket)


def create_previous(account: Account) -> None:
    """Creates the account objects of the previous release: its script and the statements of its docs."""
    text = ACCOUNT.replace("${lake_url}", f"'s3://{account.bucket}/'").replace("${role_arn}", f"'{ROLE_ARN}'")
    user = (
        "CREATE USER spotify_pipeline TYPE = SERVICE",
        "GRANT ROLE spotify_loader TO USER spotify_pipeline",
    )
    key = f"ALTER USER spotify_pipeline SET RSA_PUBLIC_KEY = '{public_key()}'"
    script = re.sub("--.*", "", text).split(";")
    account.administer(*filter(str.strip, script), *user, GRANT_OWNER, key)
    account.administer(
        "GRANT ROLE spotify_owner TO USER sandbox",
        "REVOKE SELECT ON FUTURE VIEWS IN SCHEMA spotify.playlists FROM ROLE spotify_loader",
    )  # as even earlier releases left it


def migrate_account(account: Account) -> None:
    """Executes steps 2 and 3 of the docs."""
    account.run_script(
        "create_account_objects", tables_url=account.tables_url, role_arn=ROLE_ARN, external_id="x"
    )
    account.run_script("alter_account_objects", tables_url=account.tables_url)


def migrate_schema(account: Account) -> None:
    """Executes step 1 of the docs."""
    account.set_up()


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((migrate_schema, migrate_account), id="documented order", marks=pytest.mark.faults),
        pytest.param((migrate_account, migrate_schema), id="swapped", marks=pytest.mark.faults),
    ],
)
@pytest.mark.parametrize("mode", enumerated(get_args(LoadMode), ["snowpipe"]))
def test_an_account_of_the_previous_release_can_be_migrated(
    account: Account, mode: LoadMode, steps: tuple[Callable[[Account], None], ...]
) -> None:
    older = replace(account, mode=mode)
    create_previous(older)
    set_up_older(older, 3)
    count = f"SELECT COUNT(*) FROM spotify.playlists.{history('songs')}"
    with pytest.raises(Exception, match=r"SPOTIFY.* does not exist or not authorized"):
        older.administer(count, role="SYSADMIN")
    for step in steps:
        step(older)

    assert older.publish(CHARTS[0]).partitions == [(CHARTS[0], DAY)]
    assert older.administer(count, role="SYSADMIN") == [(51,)]
    described = {row[0]: row[2] for row in older.administer("DESC INTEGRATION spotify_lake")}
    assert described["STORAGE_ALLOWED_LOCATIONS"] == older.tables_url
    with older.session() as session:  # the loader
        assert setup.is_current(session, older.lake.url, mode)
    with pytest.raises(Exception, match="is not allowed by integration"):
        execute(
            older.place,
            f"CREATE STAGE all_of_it URL = 's3://{older.bucket}/' STORAGE_INTEGRATION = spotify_lake",
        )


@pytest.fixture
def new(account: Account) -> Account:
    """An account of this release, set up, with one playlist."""
    create_account_objects(account.place.addresses.snowflake, account.tables_url)
    account.set_up()
    account.publish(CHARTS[0])
    return account


def test_one_documented_grant_lets_analysts_read_everything(new: Account) -> None:
    """The GRANT of docs/by-hand.md, for an existing role and its user."""
    (statement,) = re.findall(r"GRANT ROLE spotify_reader TO ROLE \w+", BY_HAND.read_text(encoding="utf-8"))
    new.administer("CREATE ROLE analyst", "CREATE USER ann", "GRANT ROLE analyst TO USER sandbox", statement)
    with new.place.connected("ANALYST") as connection:
        for name in (*map(history, TABLES), *view_files(), "loads"):
            assert connection.cursor().execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] >= 0
    assert ("USAGE", "ROLE", "SPOTIFY_READER", "ROLE", "ANALYST") in new.administer(
        "SHOW GRANTS TO ROLE analyst"
    )


def test_the_documented_deletions_remove_a_playlist_or_all_earlier_dates(new: Account) -> None:
    scripts = re.findall(
        r"^```sql\nBEGIN;\n(.*?)COMMIT;\n```",
        OPERATIONS.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    playlist, dates = (script.replace("37i9dQZEVXbMDoHDwVN2tF", CHARTS[0]) for script in scripts)

    def rows_left() -> int:
        return sum(new.place.count(history(table)) for table in TABLES)

    def delete(script: str) -> None:
        assert script.count(";") == script.count("_history ") == len(TABLES)
        new.administer("USE SCHEMA spotify.playlists", *script.split(";")[:-1], role="SPOTIFY_LOADER")

    rows = rows_left()
    delete(dates.replace("2025-11-20", f"{DAY}"))
    assert rows_left() == rows > len(TABLES)
    delete(dates.replace("2025-11-20", f"{DAY + timedelta(days=1)}"))
    assert rows_left() == 0
    new.publish(CHARTS[0])
    assert rows_left() == rows
    delete(playlist)
    assert rows_left() == 0


def test_with_a_separate_admin_user_the_loader_cannot_use_the_owner_role(new: Account) -> None:
    new.administer("REVOKE ROLE spotify_owner FROM USER spotify_pipeline")
    new.run_script("create_admin_user", public_key=public_key())
    not_granted = r"Role '{}' .* is not granted to this user.*correct user, key, role.*"
    with pytest.raises(ConfigurationError, match=not_granted.format("SPOTIFY_OWNER")) as refused:
        new.session(role="SPOTIFY_OWNER").__enter__()
    assert refused.value.code == Code.SNOWFLAKE_LOGIN
    with pytest.raises(ConfigurationError, match=not_granted.format("SPOTIFY_LOADER")):
        new.session(user="SPOTIFY_ADMIN").__enter__()
    with new.session(role="SPOTIFY_OWNER", user="SPOTIFY_ADMIN") as session:
        session.execute_all("setup/allow_nulls")
    assert new.publish(CHARTS[0]).rows_by_table["songs"] == 50


def test_replaced_views_keep_grants_made_by_hand(new: Account) -> None:
    new.administer("CREATE ROLE guest", "GRANT SELECT ON VIEW spotify.playlists.songs TO ROLE guest")
    with new.session(role="SPOTIFY_OWNER") as session:
        for name in VIEWS:
            session.execute_all(name)
    granted = new.administer("SHOW GRANTS TO ROLE guest")
    assert granted == [("SELECT", "VIEW", "SPOTIFY.PLAYLISTS.SONGS", "ROLE", "GUEST")]
    with new.session() as session:
        assert setup.is_current(session, new.lake.url)
