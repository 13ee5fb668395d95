"""One line for each check; what a failed one would prove is skipped."""

from threading import Event
from typing import NoReturn

import pytest

import pipeline.preflight.checks
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import CHECK_FAILED, Checklist, Line


def refuse(code: Code) -> NoReturn:
    raise ConfigurationError("it is not as it should be. Correct it", code)


def test_each_check_has_a_line() -> None:
    checks = Checklist()
    checks.check("first", lambda: "found")
    checks.check("second", lambda: refuse(Code.LAKE_DENIED))
    checks.check("third", lambda: refuse(Code.BLOCK_INVALID), ["first"])
    checks.check("fourth", lambda: "never asked", ["first", "second"])
    checks.check("fifth", lambda: "never asked", ["fourth"])
    told = "it is not as it should be. Correct it"
    assert checks.lines == [
        Line("first", "ok", "found"),
        Line("second", "missing", f"{told} [LAKE_DENIED]"),
        Line("third", "wrong", f"{told} [BLOCK_INVALID]"),
        Line("fourth", "skipped", "needs 'second'"),
        Line("fifth", "skipped", "needs 'fourth'"),
    ]
    assert [line.is_red for line in checks.lines] == [False, True, True, False, False]


def test_a_check_that_gets_no_response_or_breaks_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.preflight.checks, "CHECK_S", 0.01)
    checks = Checklist()
    checks.check("silent", lambda: str(Event().wait()))
    checks.check("broken", lambda: dict[str, str]()["secret"])
    checks.check("next", lambda: "found")
    assert [(line.status, line.text) for line in checks.lines] == [
        ("wrong", "no response within 0.01 s: run preflight again"),
        ("wrong", f"the check ended with KeyError: {CHECK_FAILED}"),
        ("ok", "found"),
    ]
