"""An apply that is interrupted at any write call is continued by the same command."""

import pytest

from deploy.provision import command as commands
from tests.deploy.provision.conftest import Clouds, Command
from tests.deploy.provision.interruptions import Interruption, Killed, interrupted
from tests.deploy.provision.test_provision import NOTHING, check_key, check_pool, check_trust

MAX_RUNS = 200


@pytest.fixture(autouse=True)
def _without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skips preflight, which writes nothing."""
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)


@pytest.mark.faults
@pytest.mark.parametrize("kills", [True, False], ids=["killed after each call", "refused at each call"])
def test_an_apply_interrupted_at_every_write_call_is_continued(
    command: Command, clouds: Clouds, capsys: pytest.CaptureFixture[str], *, kills: bool
) -> None:
    """Interrupts at each write call once: if a call was interrupted before, the next run allows one more."""
    interrupted_at, allowed = set[str](), 1
    for _ in range(MAX_RUNS):
        interruption = Interruption(allowed, kills=kills)
        if run_until(interruption) == 0:
            break
        last = interruption.writes[-1]
        allowed = allowed + 1 if last in interrupted_at else 1
        interrupted_at.add(last)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        if not kills:
            assert printed.err.count("Run the same command again: it continues where this one stopped.") == 1
            assert "refuse" in printed.err or "does not respond" in printed.err
    assert len(interrupted_at) > 35
    assert "ExecuteChangeSet" in interrupted_at
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
