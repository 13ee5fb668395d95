"""Seeded random values: the same key yields the same numbers and ids in every process."""

import hashlib
from random import Random

SEED = "sandbox-2026"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 22


def _digest(*key: object) -> bytes:
    return hashlib.blake2b(
        ":".join(map(str, (SEED, *key))).encode("utf-8", "surrogatepass"), digest_size=24
    ).digest()


def rng(*key: object) -> Random:
    """Returns a random generator seeded with the key."""
    return Random(_digest(*key))


def noise(*key: object) -> float:
    """Returns a uniformly distributed number in [-1, 1)."""
    return int.from_bytes(_digest(*key)[:4], "big") / 2**31 - 1


def base62(*key: object) -> str:
    """Returns an id in Spotify's format: 22 characters of base62."""
    number, letters = int.from_bytes(_digest(*key), "big"), ""
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(BASE62))
        letters += BASE62[digit]
    return letters


def hexadecimal(*key: object) -> str:
    """Returns 24 hexadecimal digits, the end of an image URL at Spotify."""
    return _digest(*key).hex()[:24]
