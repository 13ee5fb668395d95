"""Keeping many playlists while S3 writes fail: for one playlist, for all, or until the task is retried."""

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


class MemoryLake(Lake):
    """In-memory lake: raises `error` for keys that contain `prefix`, once `after` keys are written."""

    def __init__(self, error: PipelineError | None = None, prefix: str = "raw/", after: int = 0) -> None:
        self.files: dict[str, bytes] = {}
        self.error, self.prefix, self.after = error, prefix, after
        self.refused: Counter[str] = Counter()
        self._lock = threading.Lock()

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Stores the bytes; a second write of the same key is a conflict."""
        del content_type
        with self._lock:
            if self.error and self.prefix in key and len(self.files) >= self.after:
                self.refused[key] += 1
                raise self.error
            if key in self.files:
                raise LakeConflict("other content", Code.LAKE_CONFLICT)
            self.files[key] = body
        return Written(key, len(body), "")

    def exists(self, key: str) -> bool:
        """Returns True if the key was written."""
        return key in self.files


@dataclass
class Run:
    """One run: counts reads per playlist; its clock advances only by waits."""

    lake: MemoryLake
    reads: Counter[str] = field(default_factory=Counter)
    now: float = 0.0

    def read(
        self, _client: object, _run: object, playlist: str, _published: object, open_sink: OpenSink
    ) -> RawFile[Envelope]:
        """Replaces `read_playlist`: one response, different on every call."""
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
        """Runs one attempt of the task."""
        client: Any = SimpleNamespace(authorise=lambda: None)
        retries = RetryBudget(len(playlists), sleep=self._sleep, clock=lambda: self.now)
        run = replace(THE_RUN, snapshot_date=DAY)
        keeper = Keeper(client, self.lake, run, lambda *_: False, retries, on_kept, resumes=resumes)
        return keep_playlists(keeper, playlists)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose lake has no fault yet."""
    run = Run(MemoryLake())
    monkeypatch.setattr(pipeline.keep, "read_playlist", run.read)
    return run


@pytest.mark.parametrize("error", [THROTTLED, DENIED], ids=lambda error: error.code)
def test_failing_writes_of_one_playlist_do_not_stop_the_others(run: Run, error: PipelineError) -> None:
    run.lake.error, run.lake.prefix = error, BAD
    work = run.keep()

    assert [kept.playlist_id for kept in work.kept] == [one for one in PLAYLISTS if one != BAD]
    assert len(run.lake.files) == 199
    assert run.reads == Counter(PLAYLISTS)
    (line,) = work.failed
    assert (line.playlist_id, line.status) == (BAD, "failed")
    assert line.reason == f"playlist {BAD}: {error}"
    assert run.now <= BUDGET_S
    tried = run.lake.refused[raw_key(BAD, DAY, RUN)]
    assert tried > 5 if error is THROTTLED else tried == 1


@pytest.mark.parametrize("error", [THROTTLED, DENIED], ids=lambda error: error.code)
def test_if_every_write_fails_the_run_stops_before_all_playlists_are_read(
    run: Run, error: PipelineError
) -> None:
    run.lake.error = error
    with pytest.raises(type(error)) as raised:
        run.keep()
    assert raised.value is error
    assert MANY_PLAYLISTS <= run.reads.total() <= MANY_PLAYLISTS + 2 * THREADS
    assert run.now <= 2 * BUDGET_S


def test_a_retry_reads_and_writes_only_what_is_missing(run: Run) -> None:
    run.lake.error, run.lake.after = THROTTLED, 50
    with pytest.raises(Transient):
        run.keep()
    first = dict(run.lake.files)
    assert len(first) == 50
    assert run.lake.refused.total() >= MANY_PLAYLISTS
    unwritten = set(run.reads) - {key.split("/")[1].removeprefix("playlist_id=") for key in first}

    run.lake.error = None
    work = run.keep(resumes=True)
    assert [kept.playlist_id for kept in work.kept] == PLAYLISTS
    assert work.others == []
    assert run.reads == Counter(PLAYLISTS) + Counter(unwritten)
    assert len(run.lake.files) == 200
    assert first.items() <= run.lake.files.items()


def test_a_retry_accepts_a_file_that_an_abandoned_request_wrote_late(run: Run) -> None:
    keys = [raw_key(playlist, DAY, RUN) for playlist in PLAYLISTS[:2]]
    run.lake.files[keys[0]] = b"before"
    assert run.keep(resumes=True, playlists=PLAYLISTS[:1]).kept[0].key == keys[0]
    with pytest.raises(LakeConflict):
        run.keep(playlists=PLAYLISTS[:1])

    read = run.read

    def read_slowly(*arguments: Any) -> RawFile[Envelope]:
        run.lake.files[keys[1]] = b"late"
        return read(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline.keep, "read_playlist", read_slowly)
        assert run.keep(resumes=True, playlists=PLAYLISTS[1:2]).kept[0].key == keys[1]
    assert run.lake.files[keys[1]] == b"late"


def test_a_clock_ahead_of_s3_stops_the_run_before_any_write(run: Run) -> None:
    run.lake.clock_ahead = timedelta(seconds=61)
    with pytest.raises(ConfigurationError, match=r"61 s ahead.*CLOCK_SKEWED"):
        run.keep()
    assert run.lake.files == {}


def test_on_kept_receives_each_snapshot_as_it_was_written(run: Run) -> None:
    shown: dict[str, list[bytes]] = {}

    def show(snapshot: Snapshot) -> None:
        shown[snapshot.envelope.playlist_id] = list(snapshot.bodies)

    run.keep(playlists=PLAYLISTS[:3], on_kept=show)
    assert shown == {playlist: [b'{"read":1}'] for playlist in PLAYLISTS[:3]}


def test_responses_do_not_accumulate_in_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those of kept playlists nor those referenced by the tracebacks of failed ones."""
    files: list[weakref.ref[RawFile[Envelope]]] = []
    in_memory: list[int] = []

    def read(*arguments: Any) -> RawFile[Envelope]:
        files.append(weakref.ref(file := run.read(*arguments)))
        in_memory.append(sum(one() is not None for one in files))
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
    assert max(in_memory) <= 2 * THREADS
