"""The command as people run it: variables, a folder that may hold an `.env`, what it prints."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument

from blocks.register import app

OURS = ("SPOTIFY_", "LAKE_", "AWS_", "ECS_AWS_", "SNOWFLAKE_", "PREFECT_API_")

NAMES = ("spotify", "lake", "aws", "aws-ecs", "warehouse-admin", "warehouse")


class Told(NamedTuple):
    """How the command ended, and what it printed."""

    status: int
    out: str
    err: str


Command = Callable[..., Told]


@cache
def pem(passphrase: str = "") -> str:
    """A private key for the tests, as PEM text."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return encoded.decode()


@pytest.fixture
def environment() -> dict[str, str]:
    """What is needed and nothing else, with an app that no other test has."""
    return {
        "SPOTIFY_CLIENT_ID": f"id{token_hex(4)}",
        "SPOTIFY_CLIENT_SECRET": "canary-secret",
        "LAKE_BUCKET": "bucket",
        "SNOWFLAKE_ACCOUNT": "account",
        "SNOWFLAKE_USER": "loader",
        "SNOWFLAKE_PRIVATE_KEY": pem(),
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in an environment that says nothing about blocks."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(
    prefect_api: dict[str, str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Command]:
    """Runs the command with variables, against a server that holds no block of a default name, nor later."""
    del prefect_api, folder
    delete_documents()

    def run(variables: dict[str, str], *options: str) -> Told:
        with monkeypatch.context() as real:
            for name, value in variables.items():
                real.setenv(name, value)
            status = app(options, result_action="return_value")
        printed = capsys.readouterr()
        return Told(status, printed.out, printed.err)

    yield run
    delete_documents()  # flows take a block of a default name where there is one


def delete_documents() -> None:
    """Forgets the blocks with default names."""
    with get_client(sync_client=True) as client:
        for document in documents().values():
            client.delete_block_document(document.id)


def documents() -> dict[str, BlockDocument]:
    """All that Prefect holds of the blocks with default names, secrets in the clear."""
    wanted = {"block_documents": {"name": {"any_": NAMES}}, "include_secrets": True}
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/block_documents/filter", json=wanted).json()
    found = {str(one["name"]): BlockDocument.model_validate(one) for one in answer}
    return {name: found[name] for name in NAMES if name in found}


def held() -> dict[str, dict[str, Any]]:
    """The same without when it was written, which is all that may change where nothing does."""
    return {name: _timeless(document.model_dump(mode="json")) for name, document in documents().items()}


def _timeless(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in {"created", "updated"}}
    return {name: _timeless(value) if isinstance(value, dict) else value for name, value in kept.items()}
