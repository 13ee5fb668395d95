"""Texts in warehouse messages: lists, differences, and Snowflake's own messages."""

from collections import Counter

import pytest

from pipeline.masking import MAX_MESSAGE_CHARS
from pipeline.warehouse.messages import differing, listed, snowflake_text


def test_ten_names_are_listed_and_an_ellipsis_stands_for_the_rest() -> None:
    names = [f"file {number}" for number in range(11)]
    assert listed(names[:10]) == ", ".join(names[:10])
    assert listed(names) == ", ".join(names[:10]) + " …"


def test_keys_missing_on_either_side_differ() -> None:
    counted, wanted = Counter(same=1, more=3, foreign=2), Counter(same=1, more=2, missing=4)
    assert differing(counted, wanted) == ["more", "missing", "foreign"]


def test_trailing_punctuation_is_removed() -> None:
    assert snowflake_text("No such stage.\n") == "No such stage"


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJTQU5EQk9YIn0.FaNPWwHb-f66_XLa7s"
PEM_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
ECHOED = {
    "a JWT": (f'{{"TOKEN": "{JWT}", "N": 4}}', "FaNPWwHb"),
    "a truncated JWT": (f"x {JWT[:30]}", "hbGci"),
    "a session": ('Authorization: Snowflake Token="ver:1-hint:5-canary"\r\nHost: x', "canary"),
    "a session in JSON": (r'{"Authorization": "Snowflake Token=\"ver:1-canary\""}', "canary"),
    "a password": ('{"LOGIN_NAME": "U", "PASSWORD": "canary p"}', "canary"),
    "Basic": ("Proxy-Authorization: Basic Y2FuYXJ5", "Y2Fu"),
    "a key": (f"-----BEGIN PRIVATE KEY-----\n{PEM_LINE}\nfJ5/\n-----END PRIVATE KEY-----", "fJ5/"),
    "a line of a key": (f"x\n{PEM_LINE}\ny", "MIIE"),
}


@pytest.mark.parametrize("case", ECHOED)
def test_credentials_that_a_proxy_echoes_are_masked(case: str) -> None:
    text, secret = ECHOED[case]
    assert secret in text
    shown = snowflake_text(f"390100 (28000): Failed\n{text}\0\u2028 end")
    assert secret not in shown
    assert "***" in shown
    assert shown.startswith("390100 (28000): Failed ")
    assert shown.isprintable()


def test_a_long_copy_error_is_shortened_and_keeps_file_and_row() -> None:
    place = "File 'tables/songs/snapshot_date=2026-11-20/20261120T120000Z-1a2b3c4d.csv.gz', line 17"
    message = (
        f"100038 (22018): Numeric value '{{}}' is not recognized\n  {place}, character 9\n  Row 15, column 3"
    )
    assert snowflake_text(message.format("x")).endswith(f"recognized {place}, character 9 Row 15, column 3")
    for length in (*range(120, 220), 5000):
        shown = snowflake_text(message.format("x" * length + "-" * length))
        assert len(shown) <= MAX_MESSAGE_CHARS
        assert place in shown
    assert len(snowflake_text("- " * 5000)) <= MAX_MESSAGE_CHARS


def test_a_long_privilege_error_is_shortened_and_keeps_privilege_object_and_role() -> None:
    needed = "role SPOTIFY_LOADER must have INSERT granted on TABLE MUSIC.PLAYLISTS.SONGS_HISTORY"
    for length in (0, 60, 5000):
        denied = f"003001 (42501): Insufficient privileges to operate on table '{'T' * length}'"
        assert snowflake_text(f"{denied}.\nYour primary {needed}.").endswith(needed)
