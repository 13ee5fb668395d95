"""The contract tests in tests/real remove only objects and files that they created in the real accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.outcomes import Exit

from pipeline.errors import Code, Transient
from sandbox.account_objects import private_key
from sandbox.services import BUCKET, Addresses
from tests.places import Place
from tests.real.account_blocks import blocks_of
from tests.real.accounts import Accounts
from tests.real.cleanup import created
from tests.real.refusal import HELP, refuse_not_empty, refuse_shared
from tests.warehouses import EAGER

KILLED = "20261120T120000Z-7e57abcd"
"""Run id of contract tests that were killed."""
THEIRS = "20261120T120000Z-0123abcd"
"""Run id of a run that is not a contract test."""


@pytest.fixture
def place(addresses: Addresses) -> Iterator[Place]:
    """A place with an empty schema."""
    created = Place.create(addresses)
    yield created
    created.drop()


@pytest.fixture
def accounts(place: Place) -> Accounts:
    """The accounts object of the contract tests, for the place."""
    return Accounts(blocks_of(place.variables()), are_real=False, polling=EAGER)


def test_number_of_created_objects_is_known() -> None:
    assert len(created(["copy"])) == 31
    assert len(created(["copy", "snowpipe"])) == len(set(created(["snowpipe"]))) == 48


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        ({}, "SNOWFLAKE_SCHEMA=PLAYLISTS, LAKE_FOLDER=. "),
        ({"SNOWFLAKE_SCHEMA": "CONTRACT_TESTS"}, ": LAKE_FOLDER=. "),
        ({"LAKE_FOLDER": "contract_tests"}, ": SNOWFLAKE_SCHEMA=PLAYLISTS. "),
        ({"SNOWFLAKE_SCHEMA": "CONTRACT_TESTS", "LAKE_FOLDER": "contract_tests/prod"}, ": LAKE_FOLDER="),
        ({"SNOWFLAKE_SCHEMA": "my_contract_tests", "LAKE_FOLDER": "spotify/contract_tests"}, ""),
    ],
)
def test_schema_and_folder_must_be_exclusive_to_contract_tests(names: dict[str, str], shared: str) -> None:
    required = ("SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER")
    needed = {"LAKE_BUCKET": "bucket", "SNOWFLAKE_PRIVATE_KEY": private_key()}
    blocks = blocks_of({**dict.fromkeys(required, "a"), **needed, **names})
    accounts = Accounts(blocks, are_real=True, polling=EAGER)
    if not shared:
        return refuse_shared(accounts)
    with pytest.raises(Exit, match="No request was sent") as refused:
        refuse_shared(accounts)
    assert shared in str(refused.value)
    return None


def test_nonempty_schema_or_folder_is_refused(place: Place, accounts: Accounts) -> None:
    refuse_not_empty(accounts)
    place.query(f"CREATE STAGE lake URL = 's3://{BUCKET}/theirs/' STORAGE_INTEGRATION = spotify_lake")
    place.query("CREATE FILE FORMAT theirs TYPE = CSV")
    place.query("CREATE TABLE their_table (a VARCHAR)")
    place.query("CREATE PIPE songs_pipe AUTO_INGEST = TRUE AS COPY INTO their_table FROM @lake/")
    for run_id in (KILLED, THEIRS):
        place.write(f"runs/dt=2026-11-20/{run_id}.json", b"{}")
    with pytest.raises(Exit) as refused:
        refuse_not_empty(accounts)

    schema, url = f"{place.database}.PLAYLISTS", accounts.lake.url
    others = f"FILE FORMAT THEIRS, TABLE THEIR_TABLE, {url}runs/dt=2026-11-20/{THEIRS}.json"
    assert str(refused.value).splitlines() == [
        f"{schema} or {url} is not empty. Nothing was written ({HELP}).",
        f"Not of these tests, move it or choose other names: {others}",
        "If these tests made it and were killed, remove it:",
        f"  DROP PIPE IF EXISTS {schema}.SONGS_PIPE;",
        f"  DROP STAGE IF EXISTS {schema}.LAKE;",
        f"  aws s3 rm {url}runs/dt=2026-11-20/{KILLED}.json",
    ]


def test_only_created_objects_and_files_are_removed(place: Place, accounts: Accounts) -> None:
    run = accounts.new_run()
    accounts.lake.write(f"runs/dt=2026-11-20/{run.run_id}.json", b"{}", "application/json")
    theirs = [f"raw/{THEIRS}.json.gz", f"runs/{KILLED}.json", f"{run.run_id}/notes.txt"]
    for key in theirs:
        place.write(key, b"their only history")
    for table in ("loads", "songs_landing", "theirs"):
        place.query(f"CREATE TABLE {table} (a VARCHAR)")
    assert accounts.remove() == []
    assert place.count("loads") == 0  # not dropped, because the contract tests have not set up the schema
    accounts.loads.add("copy")  # as set-up does first; it does not include pipes and landing tables
    assert accounts.remove() == []

    assert [str(one) for one in accounts.objects()] == ["TABLE SONGS_LANDING", "TABLE THEIRS"]
    assert sorted(place.keys()) == sorted(theirs)


def test_files_are_deleted_even_if_dropping_objects_fails(
    place: Place, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_session(*_: object, **__: object) -> Iterator[None]:
        raise Transient("no session", Code.SNOWFLAKE_UNAVAILABLE)
        yield

    accounts.loads.add("copy")
    accounts.lake.write(f"runs/{accounts.new_run().run_id}.json", b"{}", "application/json")
    monkeypatch.setattr(Accounts, "session", no_session)
    (problem,) = accounts.remove()

    assert place.keys() == []
    assert "no session" in problem
    assert problem.count(f"DROP TABLE IF EXISTS {place.database}.PLAYLISTS.") == 11


def test_error_lists_files_that_cannot_be_deleted(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denied:
        """An S3 client without the permission to delete."""

        def delete_objects(self, **request: Any) -> dict[str, Any]:
            return {"Errors": [{**one, "Code": "AccessDenied"} for one in request["Delete"]["Objects"]]}

    run_id = accounts.new_run().run_id
    accounts.lake.write(f"runs/{run_id}.json", b"{}", "application/json")
    monkeypatch.setattr("prefect_aws.AwsCredentials.get_s3_client", lambda _: Denied())
    (problem,) = accounts.remove()

    assert problem.splitlines() == [
        "S3 did not delete 1 files (AccessDenied). Run with other credentials:",
        f"  aws s3 rm {accounts.lake.url}runs/{run_id}.json",
    ]
