"""RSA key pairs for Snowflake: creation, public key format, validation."""

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
"""Snowflake requires 2048 or more. NIST approves 2048 only until 2030, and 3072 after that, too."""


class PrivateKey(NamedTuple):
    """A private key as stored in a block: PEM, and the passphrase if it is encrypted."""

    pem: SecretBytes
    passphrase: SecretStr | None = None

    @classmethod
    def of(cls, pem: str, passphrase: str | None = None) -> "PrivateKey":
        """From plain text."""
        return cls(SecretBytes(pem.encode()), SecretStr(passphrase) if passphrase else None)

    def fields(self) -> dict[str, Any]:
        """Fields of SnowflakeCredentials. Without a passphrase the field is absent, not null."""
        passphrase = {"private_key_passphrase": self.passphrase} if self.passphrase else {}
        return {"private_key": self.pem, **passphrase}


class KeyPair(NamedTuple):
    """A private key, and its public key in Snowflake's format: base64 DER on one line."""

    private: PrivateKey
    public: str

    @classmethod
    def new(cls) -> "KeyPair":
        """A new pair. The private key has no passphrase, because Prefect encrypts the block."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(PrivateKey(SecretBytes(pem)), _public_text(key.public_key()))


def public_key_of(private: PrivateKey) -> str:
    """The public key of a private key in Snowflake's format: base64 DER on one line."""
    passphrase = private.passphrase.get_secret_value().encode() if private.passphrase else None
    key = serialization.load_pem_private_key(private.pem.get_secret_value(), passphrase)
    return _public_text(key.public_key())


def fingerprint(public: str) -> str:
    """Fingerprint of a public key as DESC USER shows it, `SHA256:…`."""
    return f"SHA256:{b64encode(sha256(b64decode(public)).digest()).decode()}"


def _public_text(key: Any) -> str:  # noqa: ANN401 - a public key of any type
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode()


def alter_user(user: str, public_key: str) -> str:
    """The statement that lets a user log in with the key pair."""
    return f"ALTER USER {_quoted(user)} SET RSA_PUBLIC_KEY = '{public_key}';"


def _quoted(user: str) -> str:
    """The quoted identifier: in upper case, as Snowflake stores it, unless the name needs quotes."""
    stored = user.upper() if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", user) else user
    return '"' + stored.replace('"', '""') + '"'


def key_problem(credentials: SnowflakeCredentials, variable: str) -> str | None:
    """Reason why runs could not log in with the private key from the variable; None if they can.

    Reads the key with the method that runs use.
    """
    try:
        key = serialization.load_der_private_key(credentials.resolve_private_key() or b"", password=None)
    except TypeError:  # the passphrase is missing, or the key is not encrypted
        needed = "does not belong to it: unset it" if credentials.private_key_passphrase else "is missing"
        return f"{variable}: {variable}_PASSPHRASE {needed}"
    except (
        ValueError,
        AttributeError,  # raised by the block for a blank key
        InvalidPemFormat,
        UnsupportedAlgorithm,
    ):
        return f"{variable} cannot be read: set the whole PEM text (in .env in quotes) and its passphrase"
    return None if isinstance(key, rsa.RSAPrivateKey) else f"{variable} is not an RSA key"
