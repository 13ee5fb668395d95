"""Checklist of preflight: one line per check; checks that depend on a failed one are skipped."""

from threading import Event
from typing import NoReturn

import pytest

import pipeline.preflight.checks
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import CHECK_FAILED, Checklist, Line


def refuse(code: Code) -> NoReturn:
    raise ConfigurationError("it is not as it should be. Correct it", code)


def test_each_check_has_a_line_with_its_status() -> None:
    checks = Checklist()
    checks.check("first", lambda: "found")
    checks.check("second", lambda: refuse(Code.LAKE_DENIED))
    checks.check("third", lambda: refuse(Code.BLOCK_INVALID), ["first"])
    checks.check("fourth", lambda: "not executed", ["first", "second"])
    checks.check("fifth", lambda: "not executed", ["fourth"])
    text = "it is not as it should be. Correct it"
    assert checks.lines == [
        Line("first", "ok", "found"),
        Line("second", "missing", f"{text} [LAKE_DENIED]"),
        Line("third", "wrong", f"{text} [BLOCK_INVALID]"),
        Line("fourth", "skipped", "needs 'second'"),
        Line("fifth", "skipped", "needs 'fourth'"),
    ]
    assert [line.is_red for line in checks.lines] == [False, True, True, False, False]


def test_a_check_that_hangs_or_crashes_does_not_affect_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.preflight.checks, "CHECK_S", 0.01)
    checks = Checklist()
    checks.check("unresponsive", lambda: str(Event().wait()))
    checks.check("broken", lambda: dict[str, str]()["secret"])
    checks.check("next", lambda: "found")
    assert [(line.status, line.text) for line in checks.lines] == [
        ("wrong", "no response within 0.01 s: run preflight again"),
        ("wrong", f"the check ended with KeyError: {CHECK_FAILED}"),
        ("ok", "found"),
    ]
