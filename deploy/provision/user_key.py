"""Key pair of the Snowflake user: the block has the private key, Snowflake the public key."""

from cryptography.exceptions import UnsupportedAlgorithm

from blocks.environment import private_key
from blocks.key_pair import PrivateKey, fingerprint, public_key_of
from blocks.stored import stored_private_key
from blocks.variables import Environment
from deploy.changes import Change, ProvisionFailed
from deploy.provision.snowflake_account import ADMIN_USER, USER, SnowflakeAccount

KEY_SLOTS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")


def held_key(environment: Environment) -> PrivateKey | None:
    """Private key from the variables, or else from the block; None if it has to be created."""
    return private_key(environment) or stored_private_key("warehouse")


def key_changes(account: SnowflakeAccount, key: PrivateKey | None) -> list[Change]:
    """The changes that `register_key` would make; `key` is None before it was created."""
    if key is None:
        return [Change("Snowflake", "change", f"user {USER}", "a new public key")]
    slot = _slot(account, fingerprint(_public(key)))
    return [Change("Snowflake", "change", f"user {USER}", f"{slot} of the block's key")] if slot else []


def register_key(account: SnowflakeAccount, key: PrivateKey) -> None:
    """Lets the user log in with the key; a key that the user already has stays valid."""
    public = _public(key)
    if slot := _slot(account, fingerprint(public)):
        account.echo(str(Change("Snowflake", "change", f"user {USER}", slot)))
        account.rows(f"ALTER USER {USER} SET {slot} = '{public}'")


def admin_key_changes(account: SnowflakeAccount, environment: Environment) -> list[Change]:
    """The changes that `register_admin_key` would make."""
    key = private_key(environment, "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    slot = _slot(account, fingerprint(_public(key)), ADMIN_USER) if key else None
    return [Change("Snowflake", "change", f"user {ADMIN_USER}", slot)] if slot else []


def register_admin_key(account: SnowflakeAccount, environment: Environment) -> None:
    """Lets the user who changes the schema log in, if there is one apart from the user of the runs."""
    key = private_key(environment, "SNOWFLAKE_ADMIN_PRIVATE_KEY")
    for change in admin_key_changes(account, environment):
        account.echo(str(change))
        if key:
            account.rows(f"ALTER USER {ADMIN_USER} SET {change.detail} = '{_public(key)}'")


def refuse_full_slots(account: SnowflakeAccount, environment: Environment) -> None:
    """Raises ProvisionFailed if a user already has two other keys; call it before anything is written."""
    key = held_key(environment)
    _slot(account, fingerprint(_public(key)) if key else "")
    admin_key_changes(account, environment)


def _public(key: PrivateKey) -> str:
    try:
        return public_key_of(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ProvisionFailed(
            "The private key of block `warehouse` (or of SNOWFLAKE_PRIVATE_KEY) cannot be read. Delete the "
            "block and unset the variable: the same command then creates a new key pair"
        ) from None


def _slot(account: SnowflakeAccount, wanted: str, user: str = USER) -> str | None:
    """Free property of the user for the key with this fingerprint; None if a property already has it."""
    shown = account.properties(f"DESC USER {user}")
    prints = {slot: shown.get(f"{slot}_FP", "null") for slot in KEY_SLOTS}
    if wanted in prints.values():
        return None
    free = [slot for slot, value in prints.items() if value in ("null", "", "None")]
    if not free:
        raise ProvisionFailed(
            f"User {user} already has two public keys, and neither belongs to the private key of its block. "
            f"Remove one that is no longer used (ALTER USER {user} UNSET RSA_PUBLIC_KEY, or "
            "RSA_PUBLIC_KEY_2) and run the same command again"
        )
    return free[0]
