"""The report of a run: in the lake, linked by an artifact, errors only warn; and the command `report`."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.artifacts import Artifact

import flows.write_report
from pipeline.errors import Code, ConfigurationError
from pipeline.insights.report.contents import PlaylistDetails
from pipeline.lake.store import Lake
from sandbox.spotify.catalogue import CHARTS, EMPTY, MIXTAPE, NAMES, SHARED
from tests.flows.conftest import TODAY, Pipeline
from tests.pipeline.insights.report.report_builders import Page, changes, figures, report

CHART, OTHER_CHART = CHARTS
YESTERDAY = TODAY - timedelta(days=1)


def ingest(pipeline: Pipeline, *playlists: str, **options: Any) -> Any:
    """Ingests yesterday's content, then today's; returns the second run's state."""
    for day in (YESTERDAY, TODAY):
        pipeline.serve(today=day)
        state = pipeline.ingest(*playlists, snapshot_date=day, **options)
        assert state.is_completed(), state.message
    return state


def reports(pipeline: Pipeline) -> list[str]:
    return pipeline.place.keys("reports/")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.message
        for one in caplog.records
        if one.levelno == logging.WARNING and one.name.startswith("prefect")
    ]


@pytest.mark.usefixtures("with_reports")
def test_a_run_writes_its_report_and_links_it(pipeline: Pipeline) -> None:
    ingest(pipeline, SHARED, CHART)
    *_, receipt = pipeline.place.receipts()
    first, second = reports(pipeline)
    assert first.startswith(f"reports/dt={YESTERDAY}/")
    assert second == receipt["report"] == f"reports/dt={TODAY}/{receipt['run_id']}.html"
    assert pipeline.place.head(second)["ContentType"] == "text/html; charset=utf-8"
    shown = Page(pipeline.place.read(second))
    assert f"Playlists on {TODAY.day} Nov 2026" in shown.words
    assert "2 added, 1 removed, 1 moved since 19 Nov" in shown.words
    assert NAMES[CHART] in shown.words

    artifact: Any = Artifact.get("report")
    assert f"| {NAMES[SHARED]} " in artifact.data
    assert "2 added, 1 removed, 1 moved since 19 Nov" in artifact.data
    assert artifact.data.startswith("[Report of 20 Nov 2026](http://127.0.0.1:")
    assert ".html): `s3://" in artifact.data.partition("\n")[0]
    assert f"/{second}`" in artifact.data


@pytest.mark.usefixtures("with_reports")
@pytest.mark.faults
def test_the_report_includes_unchanged_playlists(pipeline: Pipeline) -> None:
    pipeline.ingest(CHART, snapshot_date=TODAY)
    pipeline.ingest(CHART, EMPTY, snapshot_date=TODAY)
    shown = {key: Page(pipeline.place.read(key)).words for key in reports(pipeline)}
    assert sorted(NAMES[EMPTY] in words for words in shown.values()) == [False, True]
    assert all(NAMES[CHART] in words for words in shown.values())
    pipeline.ingest(CHART, EMPTY, snapshot_date=TODAY)
    assert len(reports(pipeline)) == 2  # nothing was loaded


@pytest.mark.usefixtures("with_reports")
@pytest.mark.faults
def test_a_backfill_writes_one_report_for_its_last_date(pipeline: Pipeline) -> None:
    ingest(pipeline, CHART)
    before = set(reports(pipeline))
    assert pipeline.backfill(CHART, end_date=TODAY + timedelta(days=9)).is_completed()
    (key,) = set(reports(pipeline)) - before
    assert key.startswith(f"reports/dt={TODAY}/")


@pytest.mark.usefixtures("with_reports")
def test_a_missing_view_is_a_warning(
    pipeline: Pipeline, sql_copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A query names a missing view: set-up would create a dropped one again before the report."""
    (sql_copy / "insights" / "find_report_artists.sql").write_text("SELECT * FROM top_artist WHERE 1 IN (?)")
    state = pipeline.ingest(CHART, snapshot_date=TODAY)
    assert (state.is_completed(), state.message) == (True, "1 playlist loaded")
    (warning,) = warnings(caplog)
    assert warning.startswith("the report was not written: ")
    assert "sql/insights/find_report_artists.sql" in warning
    assert reports(pipeline) == []
    assert [receipt["report"] for receipt in pipeline.place.receipts()] == [None]


@pytest.mark.usefixtures("with_reports")
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            ConfigurationError("S3 refused to write it (AccessDenied)", Code.LAKE_DENIED),
            "S3 refused to write it",
        ),
        (MemoryError("secret"), "MemoryError"),
    ],
    ids=["denied", "unexpected"],
)
def test_a_report_that_cannot_be_written_is_a_warning(
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    why: str,
) -> None:
    write = Lake.write

    def refuse(lake: Lake, key: str, body: bytes, content_type: str) -> Any:
        if key.startswith("reports/"):
            raise error
        return write(lake, key, body, content_type)

    monkeypatch.setattr(Lake, "write", refuse)
    assert pipeline.ingest(CHART, snapshot_date=TODAY).is_completed()
    assert [one.startswith(f"the report was not written: {why}") for one in warnings(caplog)] == [True]
    assert "secret" not in caplog.text


@pytest.mark.usefixtures("with_reports")
@pytest.mark.faults
def test_a_report_that_takes_too_long_is_a_warning(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flows.write_report, "REPORT_TIMEOUT_S", 0.0)
    assert pipeline.ingest(CHART, snapshot_date=TODAY).is_completed()
    assert warnings(caplog) == ["the report was not written: it took more than 0 s"]


@pytest.fixture
def two_days(pipeline: Pipeline) -> Pipeline:
    """A pipeline with two days of playlists."""
    ingest(pipeline, SHARED, CHART, EMPTY)
    return pipeline


def from_shell(pipeline: Pipeline, *arguments: str) -> int:
    """Exit status of `python -m flows report`."""
    from flows.__main__ import app  # noqa: PLC0415 - its commands import Prefect

    blocks = [option for name in ("lake", "warehouse") for option in (f"--{name}", pipeline.blocks[name])]
    with pytest.raises(SystemExit) as ended:
        app(["report", *arguments, *blocks])
    return int(ended.value.code or 0)


@pytest.mark.faults
def test_the_command_writes_the_report_of_any_date_to_a_file(
    two_days: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert from_shell(two_days, SHARED, MIXTAPE, "--date", str(YESTERDAY), "--out", str(out)) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(out)
    assert f"Completed: The report is at {out}" in printed.err
    assert "First snapshot" in Page(out.read_bytes()).words
    first = out.read_bytes()
    assert from_shell(two_days, SHARED, "--date", str(YESTERDAY), "--out", str(out)) == 0
    assert out.read_bytes() == first
    assert reports(two_days) == []


@pytest.mark.faults
def test_the_command_writes_the_report_to_the_lake_and_prints_its_url(
    two_days: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_shell(two_days) == 0
    (key,) = reports(two_days)
    url = urlsplit(capsys.readouterr().out.splitlines()[-1])
    assert (url.scheme, url.path) == ("s3", f"/{two_days.place.name}/{key}")
    assert key.startswith(f"reports/dt={TODAY}/")
    shown = Page(two_days.place.read(key))
    assert "3 playlists; 2 of them changed" in shown.words


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(
            [MIXTAPE],
            f"no snapshot of '?{MIXTAPE}'?. No report was written.* \\[NOTHING_TO_REPORT\\]",
            marks=pytest.mark.faults,
        ),
        pytest.param(
            ["--date", "2020-02-02"], "any playlist on or before 2020-02-02", marks=pytest.mark.faults
        ),
        (["mine"], "Spotify API, which a report does not call"),
        pytest.param(
            [EMPTY, "--out", "nowhere/report.html"],
            r"could not be written to nowhere/report.html \(No such file",
            marks=pytest.mark.faults,
        ),
    ],
    ids=["unknown", "too early", "mine", "no folder"],
)
def test_an_impossible_report_is_one_message(
    two_days: Pipeline, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert from_shell(two_days, *arguments) == 1
    assert re.search(why, capsys.readouterr().err)
    assert reports(two_days) == []


def test_the_artifact_links_the_report_in_the_aws_console() -> None:
    details = [PlaylistDetails(figures(playlist_name="Rock | Roll"), changes())]
    contents = report(*details)._replace(playlists=[details[0].figures, *[figures(playlist_id="x")] * 2])
    text = flows.write_report.report_text(contents, "s3://b/f/reports/r.html", "https://console/b?prefix=f")
    assert text.startswith(
        "[Report of 28 Nov 2026](https://console/b?prefix=f): `s3://b/f/reports/r.html`\n\n| playlist"
    )
    assert "Nothing changed since 27 Nov" in text
    assert text.endswith("and 2 more playlists")
