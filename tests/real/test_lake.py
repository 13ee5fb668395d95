"""Contract tests of the lake: conditional writes and reads on S3."""

import pytest

from pipeline.errors import LakeConflict, LakeKeyMissing
from tests.real.accounts import Accounts

TEXT = "text/plain"


def test_a_key_is_written_once(empty_accounts: Accounts) -> None:
    lake, key = empty_accounts.lake, f"runs/contract-tests/{empty_accounts.new_run().run_id}"
    written = lake.write(key, b"first", TEXT)

    assert lake.write(key, b"first", TEXT) == written  # S3 returns 412, and the checksum is equal
    with pytest.raises(LakeConflict):
        lake.write(key, b"other", TEXT)
    assert lake.read(key) == b"first"
    assert key in list(lake.keys("runs/"))


def test_a_missing_key_does_not_exist(empty_accounts: Accounts) -> None:
    """S3 returns 404 only with s3:ListBucket; without it, 403."""
    lake, key = empty_accounts.lake, f"runs/contract-tests/{empty_accounts.new_run().run_id}"

    assert not lake.exists(key)
    with pytest.raises(LakeKeyMissing):
        lake.read(key)


def test_responses_of_s3_have_a_date(empty_accounts: Accounts) -> None:
    """A run detects clock skew by this date."""
    lake = empty_accounts.lake
    lake.exists("runs/contract-tests/none")

    assert lake.clock_ahead is not None
    lake.check_clock()
