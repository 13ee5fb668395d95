"""The lake: what conditional writes and reads do on S3 itself."""

import pytest

from pipeline.errors import LakeConflict, LakeKeyMissing
from tests.real.accounts import Accounts

TEXT = "text/plain"


def test_a_key_is_written_once(empty_accounts: Accounts) -> None:
    lake, key = empty_accounts.lake, f"runs/contract-tests/{empty_accounts.new_run().run_id}"
    written = lake.write(key, b"first", TEXT)

    assert lake.write(key, b"first", TEXT) == written  # S3 answers 412, and the checksum says that it is ours
    with pytest.raises(LakeConflict):
        lake.write(key, b"other", TEXT)
    assert lake.read(key) == b"first"
    assert key in list(lake.keys("runs/"))


def test_a_missing_key_does_not_exist(empty_accounts: Accounts) -> None:
    """S3 says so only to who may list the bucket; to others it says that access is denied."""
    lake, key = empty_accounts.lake, f"runs/contract-tests/{empty_accounts.new_run().run_id}"

    assert not lake.exists(key)
    with pytest.raises(LakeKeyMissing):
        lake.read(key)


def test_s3_dates_its_responses(empty_accounts: Accounts) -> None:
    """By that date a run sees that its clock is wrong."""
    lake = empty_accounts.lake
    lake.exists("runs/contract-tests/none")

    assert lake.clock_ahead is not None
    lake.check_clock()
