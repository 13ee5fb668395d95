"""What the other tests of this folder stand on: the requests of a clean run, and its state."""

from collections import Counter

import pytest

from tests.faults.clean_run import REQUESTS, labels
from tests.faults.conftest import LOADS
from tests.faults.rig import Rig

pytestmark = pytest.mark.parametrize("load", LOADS)


def test_the_requests_of_a_clean_run(rig: Rig) -> None:
    seen = Counter((label.service, label.kind) for label in rig.requests)
    assert seen == REQUESTS[rig.load]
    assert sorted(rig.requests) == sorted(labels(rig.load))


def test_a_clean_run_again(rig: Rig) -> None:
    assert rig.look() == rig.old.seen
    assert rig.rerun().message == "Playlists: 3 loaded"
    rig.check_new()
