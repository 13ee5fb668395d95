"""Keeping many playlists while S3 fails: for one of them, for all, or until the task is tried again."""

import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

import pipeline.keep
from pipeline.errors import Code, ConfigurationError, LakeConflict, PipelineError, Transient
from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.layout import raw_key
from pipeline.lake.raw_files import RawFile
from pipeline.lake.retry_budget import BUDGET_S, MANY_PLAYLISTS, RetryBudget
from pipeline.lake.store import Lake, Written
from pipeline.records import Envelope, Snapshot
from pipeline.threads import THREADS
from tests.builders import RUN, THE_RUN, fetched

OpenSink = Callable[[Envelope], RawFile[Envelope]]
PLAYLISTS = [f"keep{number:018d}" for number in range(200)]
BAD = PLAYLISTS[70]
DENIED = ConfigurationError("access is denied", Code.LAKE_DENIED)
DAY = datetime.now(UTC).date()
THROTTLED = Transient("SlowDown", Code.LAKE_UNAVAILABLE)


class Shelf(Lake):
    """A lake in memory; `error` is raised for keys that contain `prefix`, once `after` are written."""

    def __init__(self, error: PipelineError | None = None, prefix: str = "raw/", after: int = 0) -> None:
        self.held: dict[str, bytes] = {}
        self.error, self.prefix, self.after = error, prefix, after
        self.refused: Counter[str] = Counter()
        self._lock = threading.Lock()

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Keeps the bytes, once."""
        del content_type
        with self._lock:
            if self.error and self.prefix in key and len(self.held) >= self.after:
                self.refused[key] += 1
                raise self.error
            if key in self.held:
                raise LakeConflict("other content", Code.LAKE_CONFLICT)
            self.held[key] = body
        return Written(key, len(body), "")

    def exists(self, key: str) -> bool:
        """Whether the key was written."""
        return key in self.held


@dataclass
class Run:
    """One run: what it reads of Spotify, by a clock that only waiting moves."""

    lake: Shelf
    reads: Counter[str] = field(default_factory=Counter)
    now: float = 0.0

    def read(
        self, _client: object, _run: object, playlist: str, _published: object, open_sink: OpenSink
    ) -> RawFile[Envelope]:
        """One answer of Spotify, never the same twice."""
        self.reads[playlist] += 1
        file = open_sink(fetched(playlist, [], 1, at=datetime.now(UTC)).envelope)
        file.add(b'{"read":%d}' % self.reads[playlist])
        return file

    def keep(
        self,
        *,
        resumes: bool = False,
        playlists: list[str] = PLAYLISTS,
        on_kept: Callable[[Snapshot], None] | None = None,
    ) -> Any:
        """An attempt of the task."""
        client: Any = SimpleNamespace(authorise=lambda: None)
        retries = RetryBudget(len(playlists), sleep=self._sleep, clock=lambda: self.now)
        run = replace(THE_RUN, snapshot_date=DAY)
        keeper = Keeper(client, self.lake, run, lambda *_: False, retries, on_kept, resumes=resumes)
        return keep_playlists(keeper, playlists)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose lake fails in nothing yet."""
    run = Run(Shelf())
    monkeypatch.setattr(pipeline.keep, "read_playlist", run.read)
    return run


@pytest.mark.parametrize("error", [THROTTLED, DENIED], ids=lambda error: error.code)
def test_one_playlist_s_failing_writes_stop_no_other(run: Run, error: PipelineError) -> None:
    run.lake.error, run.lake.prefix = error, BAD
    work = run.keep()

    assert [kept.playlist_id for kept in work.kept] == [one for one in PLAYLISTS if one != BAD]
    assert len(run.lake.held) == 199
    assert run.reads == Counter(PLAYLISTS)
    (line,) = work.failed
    assert (line.playlist_id, line.status) == (BAD, "failed")
    assert line.reason == f"playlist {BAD}: {error}"
    assert run.now <= BUDGET_S
    tried = run.lake.refused[raw_key(BAD, DAY, RUN)]
    assert tried > 5 if error is THROTTLED else tried == 1


@pytest.mark.parametrize("error", [THROTTLED, DENIED], ids=lambda error: error.code)
def test_a_lake_that_takes_nothing_ends_it_before_all_are_read(run: Run, error: PipelineError) -> None:
    run.lake.error = error
    with pytest.raises(type(error)) as raised:
        run.keep()
    assert raised.value is error
    assert MANY_PLAYLISTS <= run.reads.total() <= MANY_PLAYLISTS + 2 * THREADS
    assert run.now <= 2 * BUDGET_S


def test_a_retry_reads_and_writes_nothing_twice(run: Run) -> None:
    run.lake.error, run.lake.after = THROTTLED, 50
    with pytest.raises(Transient):
        run.keep()
    first = dict(run.lake.held)
    assert len(first) == 50
    assert run.lake.refused.total() >= MANY_PLAYLISTS
    lost = set(run.reads) - {key.split("/")[1].removeprefix("playlist_id=") for key in first}

    run.lake.error = None
    work = run.keep(resumes=True)
    assert [kept.playlist_id for kept in work.kept] == PLAYLISTS
    assert work.others == []
    assert run.reads == Counter(PLAYLISTS) + Counter(lost)
    assert len(run.lake.held) == 200
    assert first.items() <= run.lake.held.items()


def test_what_an_abandoned_request_wrote_late_is_kept_by_the_retry(run: Run) -> None:
    keys = [raw_key(playlist, DAY, RUN) for playlist in PLAYLISTS[:2]]
    run.lake.held[keys[0]] = b"before"
    assert run.keep(resumes=True, playlists=PLAYLISTS[:1]).kept[0].key == keys[0]
    with pytest.raises(LakeConflict):
        run.keep(playlists=PLAYLISTS[:1])

    read = run.read

    def read_slowly(*arguments: Any) -> RawFile[Envelope]:
        run.lake.held[keys[1]] = b"late"
        return read(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline.keep, "read_playlist", read_slowly)
        assert run.keep(resumes=True, playlists=PLAYLISTS[1:2]).kept[0].key == keys[1]
    assert run.lake.held[keys[1]] == b"late"


def test_a_clock_that_is_ahead_writes_nothing(run: Run) -> None:
    run.lake.clock_ahead = timedelta(seconds=61)
    with pytest.raises(ConfigurationError, match=r"61 s ahead.*CLOCK_SKEWED"):
        run.keep()
    assert run.lake.held == {}


def test_what_is_kept_is_shown_as_it_was_written(run: Run) -> None:
    shown: dict[str, list[bytes]] = {}

    def show(snapshot: Snapshot) -> None:
        shown[snapshot.envelope.playlist_id] = list(snapshot.bodies)

    run.keep(playlists=PLAYLISTS[:3], on_kept=show)
    assert shown == {playlist: [b'{"read":1}'] for playlist in PLAYLISTS[:3]}


def test_nothing_that_was_read_stays_in_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of playlists that are kept nor, in the frames of their errors, of those that are not."""
    files: list[weakref.ref[RawFile[Envelope]]] = []
    held: list[int] = []

    def read(*arguments: Any) -> RawFile[Envelope]:
        files.append(weakref.ref(file := run.read(*arguments)))
        held.append(sum(one() is not None for one in files))
        return file

    write = run.lake.write

    def refuse_some(key: str, *others: Any) -> Written:
        if "5/snapshot_date" in key:
            raise ConfigurationError("no", Code.LAKE_DENIED)
        return write(key, *others)

    monkeypatch.setattr(pipeline.keep, "read_playlist", read)
    monkeypatch.setattr(run.lake, "write", refuse_some)
    work = run.keep()
    assert (len(work.kept), len(work.failed)) == (180, 20)
    assert max(held) <= 2 * THREADS
