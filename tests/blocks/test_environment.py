"""Variables: where they come from, what is missing or wrong, what blocks are made of them; no server."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from blocks.environment import build, private_key, read_environment, refuse_incomplete
from blocks.key_pair import PrivateKey
from blocks.validation import NotRegistered
from tests.blocks.conftest import pem

ROOT = Path(__file__).parents[2]
LINES = pem().strip()
ONE_LINE = LINES.replace("\n", "\\n")
FILES = {
    "several lines in double quotes": f'SNOWFLAKE_PRIVATE_KEY="{LINES}"',
    "several lines in single quotes": f"SNOWFLAKE_PRIVATE_KEY='{LINES}'\n",
    "one line, as it is": f"SNOWFLAKE_PRIVATE_KEY={ONE_LINE}",
    "one line in double quotes": f'SNOWFLAKE_PRIVATE_KEY="{ONE_LINE}"',
    "one line in single quotes": f"SNOWFLAKE_PRIVATE_KEY='{ONE_LINE}'",
    "export": f'export SNOWFLAKE_PRIVATE_KEY="{LINES}"',
    "Windows": f'\ufeffSNOWFLAKE_PRIVATE_KEY="{LINES}"\n'.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_private_key_is_read_however_it_is_written(folder: Path, name: str) -> None:
    (folder / ".env").write_bytes(FILES[name].encode())
    found = private_key(read_environment())

    assert found is not None
    assert found.pem.get_secret_value().decode().splitlines() == LINES.splitlines()


def test_real_variables_win_over_the_file_and_empty_ones_are_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text(
        "LAKE_BUCKET=file\nLAKE_FOLDER=file\nSNOWFLAKE_ROLE=\nSNOWFLAKE_SCHEMA\nSNOWFLAKE_DATABASE=$A${B}\n"
    )
    monkeypatch.setenv("LAKE_BUCKET", "real")
    monkeypatch.setenv("LAKE_FOLDER", "")
    monkeypatch.setenv("SNOWFLAKE_WAREHOUSE", " ")
    found = {name: value for name, value in read_environment().items() if name.startswith(("LAKE", "SNOW"))}

    assert found == {"LAKE_BUCKET": "real", "LAKE_FOLDER": "file", "SNOWFLAKE_DATABASE": "$A${B}"}


def test_a_named_file_is_read_instead_of_the_folders(folder: Path) -> None:
    (folder / ".env").write_text("LAKE_BUCKET=here\nLAKE_FOLDER=here\n")
    (folder / "other.env").write_text("LAKE_BUCKET=there\n")
    found = read_environment(folder / "other.env")

    assert found["LAKE_BUCKET"] == "there"
    assert "LAKE_FOLDER" not in found


def test_a_named_file_that_cannot_be_read_is_an_error_and_no_default_file_is_none(folder: Path) -> None:
    assert "LAKE_BUCKET" not in read_environment()
    (folder / "latin").write_bytes(b"LAKE_BUCKET=\xe9")
    for file, said in {"none": "FileNotFoundError", ".": "IsADirectoryError", "latin": "Unicode"}.items():
        with pytest.raises(NotRegistered, match=rf"cannot be read \({said}"):
            read_environment(folder / file)


def test_git_ignores_the_file() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_every_variable_is_in_the_manual() -> None:
    stand_ins_only = {
        "SPOTIFY_API_URL",
        "SPOTIFY_ACCOUNTS_URL",
        "AWS_ENDPOINT_URL",
        "SNOWFLAKE_NETWORK_TIMEOUT",
    }
    stand_ins_only |= {"SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL"}
    source = (ROOT / "blocks" / "environment.py").read_text(encoding="utf-8")
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:SPOTIFY|LAKE|AWS|ECS|SNOWFLAKE)_[A-Z_]+[A-Z]\b", source)) - stand_ins_only

    assert {"LAKE_FOLDER", "SNOWFLAKE_ADMIN_ROLE", "SPOTIFY_REQUESTS_PER_SECOND"} <= named
    assert [name for name in sorted(named) if f"`{name}`" not in manual] == []


def blocks(environment: dict[str, str], **variables: str) -> dict[str, Any]:
    return build({**environment, **variables}, PrivateKey.of("of the loader", "secret"))


def test_all_that_is_missing_or_wrong_is_named_at_once(environment: dict[str, str]) -> None:
    wrong = {
        "AWS_ACCESS_KEY_ID": "canary",
        "ECS_AWS_SECRET_ACCESS_KEY": "canary",
        "SNOWFLAKE_ADMIN_USER": "canary",
        "SPOTIFY_REQUESTS_PER_SECOND": "canary",
        "SNOWFLAKE_NETWORK_TIMEOUT": "-1",
    }
    with pytest.raises(NotRegistered) as refused:
        refuse_incomplete(wrong)

    told = str(refused.value)
    halves = {"AWS_SECRET_ACCESS_KEY", "ECS_AWS_ACCESS_KEY_ID", "SNOWFLAKE_ADMIN_PRIVATE_KEY"}
    numbers = {"SPOTIFY_REQUESTS_PER_SECOND", "SNOWFLAKE_NETWORK_TIMEOUT"}
    assert set(re.findall("[A-Z_]{7,}", told)) == {*environment, *halves, *numbers}
    assert "set it, or use --new-key-pair" in told
    assert "canary" not in told
    with pytest.raises(NotRegistered) as refused:
        refuse_incomplete(wrong, new_key_pair=True)
    assert "SNOWFLAKE_PRIVATE_KEY" not in re.findall("[A-Z_]+", str(refused.value))
    refuse_incomplete(environment)


class Login(NamedTuple):
    """Who logs in with which role and key."""

    user: str
    role: str
    key: bytes
    passphrase: str | None


def login(block: Any) -> Login:
    held = block.credentials
    passphrase = held.private_key_passphrase.get_secret_value() if held.private_key_passphrase else None
    return Login(held.user, held.role, held.private_key.get_secret_value(), passphrase)


def test_defaults(environment: dict[str, str]) -> None:
    found = blocks(environment)
    warehouse = found["warehouse"]

    assert list(found) == ["spotify", "aws", "lake", "aws-ecs", "warehouse"]
    assert found["spotify"].api_url == "https://api.spotify.com/v1"
    assert (found["lake"].bucket_name, found["lake"].bucket_folder) == ("bucket", "")
    assert (warehouse.database, warehouse.schema_, warehouse.warehouse) == (
        "SPOTIFY",
        "PLAYLISTS",
        "SPOTIFY_LOAD",
    )
    assert login(warehouse) == ("loader", "SPOTIFY_LOADER", b"of the loader", "secret")
    assert warehouse.credentials.model_extra["network_timeout"] == 600


def test_who_starts_tasks_has_keys_of_its_own_or_the_workers_role(environment: dict[str, str]) -> None:
    lake = {"AWS_ACCESS_KEY_ID": "lake", "AWS_SECRET_ACCESS_KEY": "lake", "AWS_DEFAULT_REGION": "eu-west-1"}
    tasks = {"ECS_AWS_ACCESS_KEY_ID": "tasks", "ECS_AWS_SECRET_ACCESS_KEY": "of tasks"}
    without = blocks(environment, **lake)["aws-ecs"]
    found = blocks(environment, **lake, **tasks, AWS_ENDPOINT_URL="http://127.0.0.1:1")["aws-ecs"]

    assert (without.aws_access_key_id, without.aws_secret_access_key) == (None, None)
    assert without.region_name == found.region_name == "eu-west-1"
    assert found.aws_access_key_id == "tasks"
    assert found.aws_secret_access_key.get_secret_value() == "of tasks"
    assert found.aws_client_parameters.endpoint_url == "http://127.0.0.1:1"


ADMIN = {"SNOWFLAKE_ADMIN_USER": "boss", "SNOWFLAKE_ADMIN_PRIVATE_KEY": "a\\nb"}
ADMINS = {
    "no role": (ADMIN, None),
    "the loader's user": ({"SNOWFLAKE_ADMIN_ROLE": "OWNER"}, ("loader", "OWNER", b"of the loader", "secret")),
    "a user": ({"SNOWFLAKE_ADMIN_ROLE": "OWNER", **ADMIN}, ("boss", "OWNER", b"a\nb", None)),
    "a user with a passphrase": (
        {"SNOWFLAKE_ADMIN_ROLE": "OWNER", "SNOWFLAKE_ADMIN_PRIVATE_KEY_PASSPHRASE": "word", **ADMIN},
        ("boss", "OWNER", b"a\nb", "word"),
    ),
}


@pytest.mark.parametrize("name", ADMINS)
def test_who_changes_the_schema(environment: dict[str, str], name: str) -> None:
    variables, expected = ADMINS[name]
    found = blocks(environment, SNOWFLAKE_DATABASE="OTHER", **variables)

    assert list(found)[-1] == "warehouse"
    assert ("warehouse-admin" in found) == (expected is not None)
    if expected:
        assert login(found["warehouse-admin"]) == expected
        assert found["warehouse-admin"].database == "OTHER"
    assert login(found["warehouse"]).role == "SPOTIFY_LOADER"
