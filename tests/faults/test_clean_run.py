"""What the other tests of this folder stand on: the requests of a clean run, and its state."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.clean_run import REQUESTS, labels
from tests.faults.conftest import LOADS
from tests.faults.rig import Rig

pytestmark = pytest.mark.parametrize("load", LOADS)


def test_the_requests_of_a_clean_run(rigs: Callable[[str], Rig], load: str) -> None:
    requests = rigs(load).requests
    seen = Counter((label.service, label.kind) for label in requests)
    assert seen == REQUESTS[load]
    assert sorted(requests) == sorted(labels(load))
