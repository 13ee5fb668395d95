"""Environment variables: their sources, missing and wrong ones, and the blocks built from them; no server."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from blocks.environment import build, private_key
from blocks.key_pair import PrivateKey
from blocks.validation import NotRegistered
from blocks.variables import KEY_NAMES, read_environment, read_variables, refuse_incomplete
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
def test_a_private_key_is_read_in_every_notation(folder: Path, name: str) -> None:
    (folder / ".env").write_bytes(FILES[name].encode())
    found = private_key(read_environment())

    assert found is not None
    assert found.pem.get_secret_value().decode().splitlines() == LINES.splitlines()


def test_variables_take_precedence_over_the_file_and_empty_ones_are_ignored(
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


@pytest.mark.parametrize("in_file", [False, True])
def test_aws_keys_of_the_shell_are_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, in_file: bool
) -> None:
    for name in KEY_NAMES:
        monkeypatch.setenv(name, "of the shell")
        monkeypatch.setenv(f"ECS_{name}", "of the pool")
    if in_file:
        (folder / ".env").write_text("AWS_ACCESS_KEY_ID=of-the-file\n")
    found = read_variables()

    assert "of the shell" not in found.values.values()
    assert found.values.get("AWS_ACCESS_KEY_ID") == ("of-the-file" if in_file else None)
    assert found.sources.get("AWS_ACCESS_KEY_ID") == ("from .env" if in_file else None)
    assert found.sources["ECS_AWS_SECRET_ACCESS_KEY"] == "from the environment"


@pytest.mark.parametrize("prefix", ["", "LAKE_"])
def test_lake_keys_take_precedence_over_aws_keys(environment: dict[str, str], prefix: str) -> None:
    given = {f"LAKE_{name}": f"lake-{name}" for name in KEY_NAMES} if prefix else {}
    found = blocks(environment, AWS_ACCESS_KEY_ID="plain", AWS_SECRET_ACCESS_KEY="plain", **given)
    keys = found["aws"]

    assert found["lake"].credentials == keys
    assert keys.aws_access_key_id == ("lake-AWS_ACCESS_KEY_ID" if prefix else "plain")
    assert keys.aws_session_token == ("lake-AWS_SESSION_TOKEN" if prefix else None)
    assert found["aws-ecs"].aws_access_key_id is None


def test_a_named_file_is_read_instead_of_the_default(folder: Path) -> None:
    (folder / ".env").write_text("LAKE_BUCKET=here\nLAKE_FOLDER=here\n")
    (folder / "other.env").write_text("LAKE_BUCKET=there\n")
    found = read_environment(folder / "other.env")

    assert found["LAKE_BUCKET"] == "there"
    assert "LAKE_FOLDER" not in found


def test_an_unreadable_named_file_is_an_error_and_a_missing_default_file_is_not(folder: Path) -> None:
    assert "LAKE_BUCKET" not in read_environment()
    (folder / "latin").write_bytes(b"LAKE_BUCKET=\xe9")
    for file, problem in {"none": "FileNotFoundError", ".": "IsADirectoryError", "latin": "Unicode"}.items():
        with pytest.raises(NotRegistered, match=rf"cannot be read \({problem}"):
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
    source = "".join(
        (ROOT / "blocks" / f"{name}.py").read_text("utf-8") for name in ("environment", "variables")
    )
    pages = ("by-hand.md", "operations.md")
    manual = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"\b(?:SPOTIFY|LAKE|AWS|ECS|SNOWFLAKE)_[A-Z_]+[A-Z]\b", source)) - stand_ins_only

    assert {"LAKE_FOLDER", "SNOWFLAKE_ADMIN_ROLE", "SPOTIFY_REQUESTS_PER_SECOND"} <= named
    assert [name for name in sorted(named) if f"`{name}`" not in manual] == []


def blocks(environment: dict[str, str], **variables: str) -> dict[str, Any]:
    return build({**environment, **variables}, PrivateKey.of("of the loader", "secret"))


def test_all_missing_and_wrong_variables_are_named_at_once(environment: dict[str, str]) -> None:
    wrong = {
        "LAKE_AWS_ACCESS_KEY_ID": "canary",
        "ECS_AWS_SECRET_ACCESS_KEY": "canary",
        "SNOWFLAKE_ADMIN_USER": "canary",
        "SPOTIFY_REQUESTS_PER_SECOND": "canary",
        "SNOWFLAKE_NETWORK_TIMEOUT": "-1",
    }
    with pytest.raises(NotRegistered) as refused:
        refuse_incomplete(wrong, has_key=False)

    message = str(refused.value)
    incomplete_pairs = {
        "LAKE_AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "ECS_AWS_ACCESS_KEY_ID",
        "SNOWFLAKE_ADMIN_PRIVATE_KEY",
    }
    numbers = {"SPOTIFY_REQUESTS_PER_SECOND", "SNOWFLAKE_NETWORK_TIMEOUT"}
    assert set(re.findall("[A-Z_]{7,}", message)) == {*environment, *incomplete_pairs, *numbers}
    assert "set it, or use --new-key-pair" in message
    assert "canary" not in message
    with pytest.raises(NotRegistered) as refused:
        refuse_incomplete(wrong, has_key=True)
    assert "SNOWFLAKE_PRIVATE_KEY" not in re.findall("[A-Z_]+", str(refused.value))
    refuse_incomplete(environment, has_key=False)


WRONG_FORMS = {
    "LAKE_BUCKET": [
        "s3://canary",
        "canary/raw",
        "Canary",
        "arn:aws:s3:::canary",
        "ca",
        "10.0.0.1",
        "a..canary",
    ],
    "LAKE_FOLDER": ["/canary", "canary/", "a//canary"],
    "AWS_DEFAULT_REGION": ["eu-west", "Ireland", "eu-west-1a"],
    "SNOWFLAKE_ACCOUNT": [
        "https://canary.snowflakecomputing.com",
        "canary.snowflakecomputing.com",
        "canary.Snowflakecomputing.com/",
        "canary/",
    ],
    "ECS_AWS_SECRET_ACCESS_KEY": ["canary canary"],
}
RIGHT_FORMS = {
    "LAKE_BUCKET": ["my-bucket", "my.bucket.1"],
    "LAKE_FOLDER": ["spotify", "spotify/prod"],
    "AWS_DEFAULT_REGION": ["eu-west-1", "us-gov-west-1", "ap-southeast-2"],
    "SNOWFLAKE_ACCOUNT": ["org-my_account", "xy12345", "xy12345.us-east-2.aws"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_FORMS.items() for value in values]
)
def test_a_wrong_form_is_refused_and_the_expected_one_named(
    environment: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(NotRegistered, match=rf"{name} must be .+") as refused:
        refuse_incomplete({**environment, name: value}, has_key=True)
    assert "anary" not in str(refused.value)


def test_right_forms_are_accepted(environment: dict[str, str]) -> None:
    for name, values in RIGHT_FORMS.items():
        for value in values:
            refuse_incomplete({**environment, name: value}, has_key=True)


class Login(NamedTuple):
    """User, role and key of a login."""

    user: str
    role: str
    key: bytes
    passphrase: str | None


def login(block: Any) -> Login:
    credentials = block.credentials
    passphrase = (
        credentials.private_key_passphrase.get_secret_value() if credentials.private_key_passphrase else None
    )
    return Login(credentials.user, credentials.role, credentials.private_key.get_secret_value(), passphrase)


def test_blocks_have_defaults(environment: dict[str, str]) -> None:
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


def test_aws_ecs_has_its_own_keys_or_none(environment: dict[str, str]) -> None:
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
def test_warehouse_admin_logs_in_as_admin_or_else_as_the_loader(
    environment: dict[str, str], name: str
) -> None:
    variables, expected = ADMINS[name]
    found = blocks(environment, SNOWFLAKE_DATABASE="OTHER", **variables)

    assert list(found)[-1] == "warehouse"
    assert ("warehouse-admin" in found) == (expected is not None)
    if expected:
        assert login(found["warehouse-admin"]) == expected
        assert found["warehouse-admin"].database == "OTHER"
    assert login(found["warehouse"]).role == "SPOTIFY_LOADER"
