"""What `make sandbox` prints once all is ready: addresses, and three things to try."""

from typing import NamedTuple

ENV_FILE = ".sandbox/env"


class Thing(NamedTuple):
    """A thing to try: a command for a shell in the project's folder, or a page for a browser."""

    what: str
    how: str


SQL = Thing(
    "What people added to a playlist and removed from it, in SQL:",
    'make sql Q="SELECT snapshot_date, change, song_name, added_by FROM playlist_changes'
    " WHERE playlist_name = 'Office Kettle' ORDER BY snapshot_date DESC LIMIT 10\"",
)
PLAYLISTS = Thing(
    "Which playlists the warehouse has, in SQL:", 'make sql Q="SELECT name, item_count FROM playlists"'
)
INGEST = Thing(
    "Today's playlists, read from Spotify and loaded:",
    f". {ENV_FILE} && .venv/bin/python -m flows ingest",
)


def run_form(prefect: str, deployment_id: str) -> Thing:
    """The page on which a person starts a run of a deployment."""
    return Thing(
        "A run from its form in the browser; then look at its tab Artifacts:",
        f"{prefect}/deployments/deployment/{deployment_id}/run",
    )


def things_to_try(prefect: str, deployment_id: str, *, has_history: bool) -> list[Thing]:
    """Three things, in an order in which each works: without a history there are no tables before a run."""
    first = [SQL, INGEST] if has_history else [INGEST, PLAYLISTS]
    return [*first, run_form(prefect, deployment_id)]


def welcome(addresses: str, things: list[Thing]) -> str:
    """The text."""
    tried = [f"{number}. {thing.what}\n\n     {thing.how}\n" for number, thing in enumerate(things, start=1)]
    return "\n".join(
        [
            addresses,
            "",
            "Three things to try, in another shell in this folder (docs/sandbox.md: a tour of half an hour):",
            "",
            *tried,
            "Ctrl-C stops everything.",
        ]
    )
