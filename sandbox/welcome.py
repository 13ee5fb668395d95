"""The text that `make sandbox` prints when it is ready: addresses and three things to try."""

from typing import NamedTuple

ENV_FILE = ".sandbox/env"


class Suggestion(NamedTuple):
    """A thing to try; `action`: a shell command in the project's folder, or a URL for a browser."""

    description: str
    action: str


SQL = Suggestion(
    "Query which songs were added to a playlist and removed (added_by: the user who had added the song):",
    'make sql Q="SELECT snapshot_date, change, song_name, added_by FROM playlist_changes'
    " WHERE playlist_name = 'Office Kettle' ORDER BY snapshot_date DESC LIMIT 10\"",
)
PLAYLISTS = Suggestion(
    "Query which playlists the warehouse has:", 'make sql Q="SELECT name, item_count FROM playlists"'
)
INGEST = Suggestion(
    "Read today's playlists from Spotify and load them:",
    f". {ENV_FILE} && .venv/bin/python -m flows ingest",
)


def run_form(prefect: str, deployment_id: str) -> Suggestion:
    """The URL of a deployment's run form."""
    return Suggestion(
        "Start a run from its form in the browser, then open its tab Artifacts:",
        f"{prefect}/deployments/deployment/{deployment_id}/run",
    )


def things_to_try(prefect: str, deployment_id: str, *, has_history: bool) -> list[Suggestion]:
    """Three suggestions in an order that works: without a history, the first run creates the tables."""
    first = [SQL, INGEST] if has_history else [INGEST, PLAYLISTS]
    return [*first, run_form(prefect, deployment_id)]


def welcome(addresses: str, suggestions: list[Suggestion]) -> str:
    """The text to print."""
    tried = [
        f"{number}. {one.description}\n\n     {one.action}\n"
        for number, one in enumerate(suggestions, start=1)
    ]
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
