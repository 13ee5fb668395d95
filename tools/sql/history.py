"""Line editing and persistent history of the prompt."""

import atexit
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

MAX_ENTRIES = 2000


def open_history() -> Callable[[str], None]:
    """Enables line editing; returns a function that adds an entry to the history.

    If the history file cannot be written, the history is lost when the session ends.
    """
    try:
        import readline  # noqa: PLC0415 - not available on Windows
    except ImportError:
        return lambda _: None
    file = history_file()
    readline.set_history_length(MAX_ENTRIES)
    readline.set_auto_history(False)  # a statement of many lines is one entry
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.read_history_file(file)
        atexit.register(_save, file)
    return readline.add_history


def history_entry(lines: Sequence[str]) -> str:
    """The lines of a statement as one history entry, joined unless a comment would hide the rest."""
    has_comment = any("--" in line or "//" in line for line in lines)
    return ("\n" if has_comment else " ").join(line.rstrip() for line in lines)


def history_file() -> Path:
    """Path of the history file."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "spotify-playlist-pipeline" / "sql_history"


def _save(file: Path) -> None:
    import readline  # noqa: PLC0415

    with suppress(OSError):
        readline.write_history_file(file)
