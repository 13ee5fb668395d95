"""What the other tests of this folder stand on: the requests of a clean run, and its state."""

from collections import Counter
from collections.abc import Callable

from tests.faults.clean_run import REQUESTS, labels, without_further_polls
from tests.faults.conftest import EACH_LOAD
from tests.faults.rig import Rig

pytestmark = EACH_LOAD


def test_the_requests_of_a_clean_run(rigs: Callable[[str], Rig], load: str) -> None:
    requests = without_further_polls(rigs(load).requests)
    seen = Counter((label.service, label.kind) for label in requests)
    assert seen == REQUESTS[load]
    assert sorted(requests) == sorted(labels(load))


def test_the_receipt_says_what_the_services_were_asked(rigs: Callable[[str], Rig], load: str) -> None:
    """Of its own PUT it cannot tell."""
    rig = rigs(load)
    asked = [
        (one.service, one.kind) for one in rig.requests if one.kind not in ("login", "logout", "PUT runs")
    ]
    services = Counter(service for service, _ in asked)
    assert rig.usage == {
        "spotify_requests": services["spotify"],
        "spotify_bytes": sum(rig.bytes_answered[one] for one in set(asked) if one[0] == "spotify"),
        "lake_requests": services["s3"],
        "lake_bytes_written": sum(rig.bytes_sent[one] for one in set(asked) if one[0] == "s3"),
        "lake_bytes_read": sum(rig.bytes_answered[one] for one in set(asked) if one[1].startswith("GET ")),
        "statements": services["snowflake"],
    }
    assert all(rig.usage.values())
