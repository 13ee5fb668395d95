"""Key pairs: created in the form that Snowflake requires; unusable keys are refused."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from prefect_snowflake import SnowflakeCredentials

from blocks.key_pair import KEY_BITS, KeyPair, PrivateKey, alter_user, key_problem
from tests.blocks.conftest import pem


def test_public_and_private_key_match() -> None:
    pair = KeyPair.new()
    private = pair.private.pem.get_secret_value()
    key = serialization.load_pem_private_key(private, password=None)
    public = serialization.load_der_public_key(b64decode(pair.public, validate=True))

    assert private.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == KEY_BITS >= 2048
    assert key.public_key() == public
    assert pair.private.passphrase is None
    assert "BEGIN" not in repr(pair)


USERS = {
    "spotify_pipeline": '"SPOTIFY_PIPELINE"',
    "LOADER$1": '"LOADER$1"',
    "me@example.org": '"me@example.org"',
    "spotify-pipeline": '"spotify-pipeline"',
    "1st": '"1st"',
    "größe": '"größe"',
    "x\" SET PASSWORD = 'y'; DROP USER \"z": '"x"" SET PASSWORD = \'y\'; DROP USER ""z"',
    "x\n": '"x\n"',
}


@pytest.mark.parametrize("user", USERS)
def test_a_user_is_quoted_as_snowflake_stores_the_name(user: str) -> None:
    assert alter_user(user, "AAAA") == f"ALTER USER {USERS[user]} SET RSA_PUBLIC_KEY = 'AAAA';"


def elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


FIRST_LINE = pem().splitlines()[0]
KEYS: dict[str, tuple[str, str, str | None]] = {
    "plain": (pem(), "", None),
    "encrypted": (pem("word"), "word", None),
    "spaces around it": (f"\n {pem()}\n ", "", None),
    "no passphrase": (pem("word"), "", "V: V_PASSPHRASE is missing"),
    "another passphrase": (pem("word"), "canary", "V cannot be read: set the whole PEM text"),
    "a passphrase too many": (pem(), "canary", "V: V_PASSPHRASE does not belong to it: unset it"),
    "no key": ("canary", "", "V cannot be read"),
    "a line break": ("\n", "", "V cannot be read"),
    "its first line": (FIRST_LINE, "", "V cannot be read"),
    "its first half": (pem()[:600], "", "V cannot be read"),
    "a public key": (pem().replace("PRIVATE", "PUBLIC"), "", "V cannot be read"),
    "another content": (f"{FIRST_LINE}\nY2FuYXJ5\n-----END PRIVATE KEY-----", "", "V cannot be read"),
    "an elliptic curve": (elliptic(), "", "V is not an RSA key"),
}


@pytest.mark.parametrize("name", KEYS)
def test_an_unusable_key_is_refused_and_not_shown(name: str) -> None:
    text, passphrase, expected = KEYS[name]
    key = PrivateKey.of(text, passphrase)
    problem = key_problem(SnowflakeCredentials(account="a", user="u", **key.fields()), "V")

    assert (problem or "").startswith(expected or "")
    assert (problem is None) == (expected is None)
    assert "canary" not in (problem or "")
