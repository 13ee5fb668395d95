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
