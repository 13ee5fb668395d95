"""Settings of the stand-in: arguments of `create_app`, changed at /sandbox/settings."""

from typing import Annotated, Literal

import msgspec

from sandbox.spotify.shapes import Shape

AppClass = Literal["restricted", "development", "extended_old", "extended_new"]
SPOTIFY_OWNS = "37i9dQ"  # prefix of the ids of Spotify's own playlists

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """A playlist that changes while it is read: after every `after` responses about it, `times` times.

    Each change moves it `days` ahead and appends `entries`; a negative number removes entries at the start.
    `answered` counts the responses, `fired` the changes.
    """

    playlist: str
    after: Positive = 1
    times: Positive = 1
    days: int = 0
    entries: int = 0
    answered: int = 0
    fired: int = 0

    def count(self) -> None:
        """Counts a response, and the change that is due before it."""
        self.fired = min(self.answered // self.after, self.times)
        self.answered += 1


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Behaviour of the stand-in. `window` and `quota` count from the time they are set; None: no limit.

    restricted: development mode since 2026; development: development mode before 2026; extended_old,
    extended_new: extended quota, of which only extended_old may read Spotify's own playlists.
    """

    app_class: AppClass = "extended_new"
    old_shape: bool = False  # shape of responses before 2026; ignored for a restricted app
    token_lifetime: Count = 3600  # seconds
    rotating: bool = False  # a refresh token works once and returns a new one
    refresh_days: Count = 180  # from the consent to the expiry of its refresh tokens
    user_agrees: bool = True  # at /authorize
    user_in_href: bool = (
        True  # `href` of GET /me/playlists is …/users/{id}/playlists, as in recorded responses
    )
    floats: bool = False  # writes integers as 50.0
    window: Count | None = None  # maximum number of requests in any 30 seconds
    quota: Count | None = None  # maximum number of requests in a day
    latency_ms: Count = 0  # before each response
    ahead_s: Seconds = 0  # seconds by which the clock for tokens and limits is ahead
    date_behind_s: float = 0  # seconds by which the Date header is behind
    changes: list[Change] = []

    @property
    def restricted(self) -> bool:
        """Returns True if the app may read only playlists of its user, and only one object per request."""
        return self.app_class == "restricted"

    @property
    def shape(self) -> Shape:
        """The shape of playlists in responses."""
        if self.restricted:
            return "items"
        return "tracks" if self.old_shape else "both"

    def change(self, wanted: dict[str, object]) -> None:
        """Changes some settings; raises msgspec.ValidationError, then no setting is changed."""
        changed = msgspec.convert({**msgspec.structs.asdict(self), **wanted}, Settings)
        for name in wanted:
            setattr(self, name, getattr(changed, name))
