"""Key pairs for Snowflake: a new one, its public half as Snowflake wants it; whether a given key works."""

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prefect_snowflake import SnowflakeCredentials
from prefect_snowflake.credentials import InvalidPemFormat
from pydantic import SecretBytes, SecretStr

KEY_BITS = 3072
"""Snowflake asks for 2048 at least, which NIST approves until 2030 only; 4096 would protect no longer."""


class PrivateKey(NamedTuple):
    """A private key as a block holds it: PEM, and the passphrase where it is encrypted."""

    pem: SecretBytes
    passphrase: SecretStr | None = None

    @classmethod
    def of(cls, pem: str, passphrase: str | None = None) -> "PrivateKey":
        """From plain text."""
        return cls(SecretBytes(pem.encode()), SecretStr(passphrase) if passphrase else None)

    def fields(self) -> dict[str, Any]:
        """The fields of Snowflake credentials; no passphrase is no field, for the connector gets all."""
        passphrase = {"private_key_passphrase": self.passphrase} if self.passphrase else {}
        return {"private_key": self.pem, **passphrase}


class KeyPair(NamedTuple):
    """A private key, and its public half as Snowflake wants it: base64 on one line."""

    private: PrivateKey
    public: str

    @classmethod
    def new(cls) -> "KeyPair":
        """A new pair; the private key has no passphrase, for the block is encrypted."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(PrivateKey(SecretBytes(pem)), _public_text(key.public_key()))


def public_half(private: PrivateKey) -> str:
    """The public half of a private key as Snowflake wants it: base64 on one line."""
    passphrase = private.passphrase.get_secret_value().encode() if private.passphrase else None
    key = serialization.load_pem_private_key(private.pem.get_secret_value(), passphrase)
    return _public_text(key.public_key())


def fingerprint(public: str) -> str:
    """How DESC USER shows a public key, `SHA256:…`."""
    return f"SHA256:{b64encode(sha256(b64decode(public)).digest()).decode()}"


def _public_text(key: Any) -> str:  # noqa: ANN401 - any kind of key has it
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode()


def alter_user(user: str, public_key: str) -> str:
    """The statement that lets a user log in with the key pair."""
    return f"ALTER USER {_quoted(user)} SET RSA_PUBLIC_KEY = '{public_key}';"


def _quoted(user: str) -> str:
    """The name as Snowflake stores it: one that needs no quotes in upper case, any other as it is."""
    stored = user.upper() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", user) else user
    return '"' + stored.replace('"', '""') + '"'


def key_problem(credentials: SnowflakeCredentials, variable: str) -> str | None:
    """Why Snowflake could not be reached with the private key that the variable held; None where it could.

    The key is read as the runs will read it.
    """
    try:
        key = serialization.load_der_private_key(credentials.resolve_private_key() or b"", password=None)
    except TypeError:  # a passphrase that is missing, or one too many
        needed = "does not belong to it: unset it" if credentials.private_key_passphrase else "is missing"
        return f"{variable}: {variable}_PASSPHRASE {needed}"
    except (
        ValueError,
        AttributeError,
        InvalidPemFormat,
        UnsupportedAlgorithm,
    ):  # the block's own slip: blank
        return f"{variable} cannot be read: set the whole PEM text (in .env in quotes) and its passphrase"
    return None if isinstance(key, rsa.RSAPrivateKey) else f"{variable} is no RSA key"
