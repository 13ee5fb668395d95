"""The requests of a clean run, on which the other tests of this folder rely."""

from collections import Counter
from collections.abc import Callable

from tests.faults.clean_run import REQUESTS, labels, without_further_polls
from tests.faults.conftest import EACH_LOAD
from tests.faults.rig import Rig

pytestmark = EACH_LOAD


def test_a_clean_run_sends_the_expected_requests(rigs: Callable[[str], Rig], load: str) -> None:
    requests = without_further_polls(rigs(load).requests)
    seen = Counter((label.service, label.kind) for label in requests)
    assert seen == REQUESTS[load]
    assert sorted(requests) == sorted(labels(load))


def test_the_usage_in_the_receipt_matches_the_requests(rigs: Callable[[str], Rig], load: str) -> None:
    """Except for the PUT of the receipt itself."""
    rig = rigs(load)
    counted = [
        (one.service, one.kind) for one in rig.requests if one.kind not in ("login", "logout", "PUT runs")
    ]
    services = Counter(service for service, _ in counted)
    assert rig.usage == {
        "spotify_requests": services["spotify"],
        "spotify_bytes": sum(rig.bytes_received[one] for one in set(counted) if one[0] == "spotify"),
        "lake_requests": services["s3"],
        "lake_bytes_written": sum(rig.bytes_sent[one] for one in set(counted) if one[0] == "s3"),
        "lake_bytes_read": sum(rig.bytes_received[one] for one in set(counted) if one[1].startswith("GET ")),
        "statements": services["snowflake"],
    }
    assert all(rig.usage.values())
