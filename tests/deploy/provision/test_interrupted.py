"""An apply that is cut off anywhere is continued by the same command."""

import pytest

from deploy.provision import command as commands
from tests.deploy.provision.conftest import Clouds, Command
from tests.deploy.provision.interruptions import Interruption, Killed, interrupted
from tests.deploy.provision.test_provision import NOTHING, check_key, check_pool, check_trust

ENDLESS = 200


@pytest.fixture(autouse=True)
def _without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes nothing."""
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)


@pytest.mark.faults
@pytest.mark.parametrize("kills", [True, False], ids=["killed after each call", "refused at each call"])
def test_cut_off_at_every_call_that_writes_it_is_continued(
    command: Command, clouds: Clouds, capsys: pytest.CaptureFixture[str], *, kills: bool
) -> None:
    """Each run gets one call further than the run before it; further, where it begins with the same calls."""
    cut_off, allowed = set[str](), 1
    for _ in range(ENDLESS):
        interruption = Interruption(allowed, kills=kills)
        if run_until(interruption) == 0:
            break
        last = interruption.writes[-1]
        allowed = allowed + 1 if last in cut_off else 1
        cut_off.add(last)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        if not kills:
            assert said.err.count("Run the same command again: it continues where this one stopped.") == 1
            assert "refuse" in said.err or "does not answer" in said.err
    assert len(cut_off) > 35
    assert "ExecuteChangeSet" in cut_off
    assert NOTHING in command("plan")
    check_trust(clouds)
    check_key(clouds)
    check_pool(clouds)


def run_until(interruption: Interruption) -> int | None:
    """Exit status of an apply; None if it was killed."""
    try:
        with interrupted(interruption):
            status: int = commands.app(["apply"], result_action="return_value")
    except Killed:
        return None
    return status
