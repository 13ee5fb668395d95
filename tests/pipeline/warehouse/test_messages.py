"""Words of messages."""

from collections import Counter

import pytest

from pipeline.masking import MAX_MESSAGE_CHARS
from pipeline.warehouse.messages import differing, listed, snowflake_text


def test_ten_are_listed_and_a_sign_stands_for_more() -> None:
    names = [f"file {number}" for number in range(11)]
    assert listed(names[:10]) == ", ".join(names[:10])
    assert listed(names) == ", ".join(names[:10]) + " …"


def test_what_is_missing_on_one_side_differs() -> None:
    counted, wanted = Counter(same=1, more=3, foreign=2), Counter(same=1, more=2, missing=4)
    assert differing(counted, wanted) == ["more", "missing", "foreign"]


def test_a_phrase_has_no_end_of_its_own() -> None:
    assert snowflake_text("No such stage.\n") == "No such stage"


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJTQU5EQk9YIn0.FaNPWwHb-f66_XLa7s"
PEM_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
REPEATED = {
    "a JWT": (f'{{"TOKEN": "{JWT}", "N": 4}}', "FaNPWwHb"),
    "a JWT that was cut": (f"x {JWT[:30]}", "hbGci"),
    "a session": ('Authorization: Snowflake Token="ver:1-hint:5-canary"\r\nHost: x', "canary"),
    "a session in JSON": (r'{"Authorization": "Snowflake Token=\"ver:1-canary\""}', "canary"),
    "a password": ('{"LOGIN_NAME": "U", "PASSWORD": "canary p"}', "canary"),
    "Basic": ("Proxy-Authorization: Basic Y2FuYXJ5", "Y2Fu"),
    "a key": (f"-----BEGIN PRIVATE KEY-----\n{PEM_LINE}\nfJ5/\n-----END PRIVATE KEY-----", "fJ5/"),
    "a line of a key": (f"x\n{PEM_LINE}\ny", "MIIE"),
}


@pytest.mark.parametrize("case", REPEATED)
def test_a_phrase_of_a_proxy_that_repeats_the_request_has_no_credentials(case: str) -> None:
    text, canary = REPEATED[case]
    assert canary in text
    said = snowflake_text(f"390100 (28000): Failed\n{text}\0\u2028 end")
    assert canary not in said
    assert "***" in said
    assert said.startswith("390100 (28000): Failed ")
    assert said.isprintable()


def test_a_phrase_is_short_and_still_names_the_row_that_copy_refuses() -> None:
    place = "File 'tables/songs/snapshot_date=2026-11-20/20261120T120000Z-1a2b3c4d.csv.gz', line 17"
    says = (
        f"100038 (22018): Numeric value '{{}}' is not recognized\n  {place}, character 9\n  Row 15, column 3"
    )
    assert snowflake_text(says.format("x")).endswith(f"recognized {place}, character 9 Row 15, column 3")
    for length in (*range(120, 220), 5000):
        said = snowflake_text(says.format("x" * length + "-" * length))
        assert len(said) <= MAX_MESSAGE_CHARS
        assert place in said
    assert len(snowflake_text("- " * 5000)) <= MAX_MESSAGE_CHARS


def test_a_phrase_is_short_and_still_names_privilege_object_and_role() -> None:
    needed = "role SPOTIFY_LOADER must have INSERT granted on TABLE MUSIC.PLAYLISTS.SONGS_HISTORY"
    for length in (0, 60, 5000):
        denied = f"003001 (42501): Insufficient privileges to operate on table '{'T' * length}'"
        assert snowflake_text(f"{denied}.\nYour primary {needed}.").endswith(needed)
