"""Line editing and history of the prompt, from one session to the next."""

import atexit
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

ENTRIES = 2000


def open_history() -> Callable[[str], None]:
    """Switches line editing on; returns what adds an entry to the history.

    If its file cannot be written, the history is that of this session only.
    """
    try:
        import readline  # noqa: PLC0415 - Windows has none
    except ImportError:
        return lambda _: None
    file = history_file()
    readline.set_history_length(ENTRIES)
    readline.set_auto_history(False)  # a statement of many lines is one entry
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.read_history_file(file)
        atexit.register(_save, file)
    return readline.add_history


def history_entry(lines: Sequence[str]) -> str:
    """What is typed for one statement, on one line unless a comment would swallow the rest."""
    has_comment = any("--" in line or "//" in line for line in lines)
    return ("\n" if has_comment else " ").join(line.rstrip() for line in lines)


def history_file() -> Path:
    """Where entries are kept."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "spotify-playlist-pipeline" / "sql_history"


def _save(file: Path) -> None:
    import readline  # noqa: PLC0415

    with suppress(OSError):
        readline.write_history_file(file)
