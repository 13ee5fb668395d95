"""What can be set on the stand-in, by arguments of `create_app` and at /sandbox/settings."""

from typing import Annotated, Literal

import msgspec

from sandbox.spotify.shapes import Shape

AppClass = Literal["restricted", "development", "extended_old", "extended_new"]
SPOTIFY_OWNS = "37i9dQ"  # ids of Spotify's own playlists begin so

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """A playlist that changes while it is read: after each `after` responses about it, `times` times.

    At each change it becomes what it is `days` later, and gains `entries` at its end; with a negative
    number it loses as many at its start. `answered` counts the responses, `fired` the changes.
    """

    playlist: str
    after: Positive = 1
    times: Positive = 1
    days: int = 0
    entries: int = 0
    answered: int = 0
    fired: int = 0

    def count(self) -> None:
        """Counts one response, and changes if it is time."""
        self.fired = min(self.answered // self.after, self.times)
        self.answered += 1


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """How the stand-in behaves. `window` and `quota` count from when they are set; None: no limit.

    restricted: development mode since 2026; development: older development mode; extended_old, extended_new:
    extended quota, only the old one may read what Spotify owns.
    """

    app_class: AppClass = "extended_new"
    old_shape: bool = False  # respond as before 2026; not to a restricted app
    token_lifetime: Count = 3600  # seconds
    rotating: bool = False  # a refresh token works once and brings a new one
    refresh_days: Count = 180  # from the authorisation to the death of its refresh tokens
    user_agrees: bool = True  # at /authorize
    user_in_href: bool = (
        True  # GET /me/playlists names itself …/users/{id}/playlists, as recorded responses do
    )
    floats: bool = False  # write whole numbers as 50.0
    window: Count | None = None  # requests in any 30 s
    quota: Count | None = None  # requests in a day
    latency_ms: Count = 0  # before each response
    ahead_s: Seconds = 0  # how far the clock of tokens and limits is ahead
    date_behind_s: float = 0  # how far the Date header is behind the true time
    changes: list[Change] = []

    @property
    def restricted(self) -> bool:
        """Whether the app may read only its user's playlists, one object a request."""
        return self.app_class == "restricted"

    @property
    def shape(self) -> Shape:
        """The shape of playlists in responses."""
        if self.restricted:
            return "items"
        return "tracks" if self.old_shape else "both"

    def change(self, wanted: dict[str, object]) -> None:
        """Sets some of the settings, or raises msgspec.ValidationError and sets none."""
        changed = msgspec.convert({**msgspec.structs.asdict(self), **wanted}, Settings)
        for name in wanted:
            setattr(self, name, getattr(changed, name))
