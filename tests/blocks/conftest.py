"""`python -m blocks register` as users run it: environment variables, a folder, the output."""

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

PREFIXES = ("SPOTIFY_", "LAKE_", "AWS_", "ECS_AWS_", "SNOWFLAKE_", "PREFECT_API_")

NAMES = ("spotify", "lake", "aws", "aws-ecs", "warehouse-admin", "warehouse")
"""Default names of the blocks, in the order of registration."""


class Output(NamedTuple):
    """Exit status and output of the command."""

    status: int
    out: str
    err: str


Command = Callable[..., Output]


@cache
def pem(passphrase: str = "") -> str:
    """A private key as PEM text, encrypted if there is a passphrase; one per passphrase and process."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return encoded.decode()


@pytest.fixture
def environment() -> dict[str, str]:
    """The required variables only. The client id is new: the name of the rate limit contains it."""
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
    """The current folder, empty, and an environment without variables of the blocks."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
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
    """Runs the command with variables. Before and after the test no block with a default name exists."""
    del prefect_api, folder
    delete_documents()

    def run(variables: dict[str, str], *options: str) -> Output:
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            status = app(options, result_action="return_value")
        printed = capsys.readouterr()
        return Output(status, printed.out, printed.err)

    yield run
    delete_documents()  # flows of other tests would use them


def delete_documents() -> None:
    """Deletes the blocks with default names."""
    with get_client(sync_client=True) as client:
        for document in documents().values():
            client.delete_block_document(document.id)


def documents() -> dict[str, BlockDocument]:
    """The stored documents of the blocks with default names, with their secrets."""
    wanted = {"block_documents": {"name": {"any_": NAMES}}, "include_secrets": True}
    with get_client(sync_client=True) as client:
        response = client.request("POST", "/block_documents/filter", json=wanted).json()
    found = {str(one["name"]): BlockDocument.model_validate(one) for one in response}
    return {name: found[name] for name in NAMES if name in found}


def stored() -> dict[str, dict[str, Any]]:
    """The documents without the times at which they were written, to compare them."""
    return {name: _timeless(document.model_dump(mode="json")) for name, document in documents().items()}


def _timeless(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in {"created", "updated"}}
    return {name: _timeless(value) if isinstance(value, dict) else value for name, value in kept.items()}
