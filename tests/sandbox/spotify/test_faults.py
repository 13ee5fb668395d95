"""Scripted faults: what the client receives, and the counts."""

from collections.abc import Iterator
from datetime import date

import pytest
import requests

from sandbox.spotify import faults
from sandbox.spotify.catalogue import EMPTIED, MIXTAPE
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.serving import running
from tests.spotify_standin import Standin, Start

PATH = f"/v1/playlists/{EMPTIED}"


def test_fault_sends_status_body_and_headers(start: Start) -> None:
    standin = start()
    token = standin.bearer()
    fault = {"path": EMPTIED, "times": 2, "status": 429, "body": "{}", "headers": {"Retry-After": "7"}}
    standin.put("/sandbox/faults", [fault])
    responses = [standin.get(PATH, token) for _ in range(3)]
    assert [response.status_code for response in responses] == [429, 429, 200]
    assert (responses[0].headers["Retry-After"], responses[0].text) == ("7", "{}")
    (shown,) = standin.get("/sandbox/faults").json()
    assert (shown["times"], shown["fired"]) == (2, 2)


def test_default_fault_is_a_503_with_spotifys_error_body(start: Start) -> None:
    standin = start()
    standin.put("/sandbox/faults", [{"path": "."}])
    response = standin.get(PATH)
    assert response.status_code == 503
    assert response.json() == {"error": {"status": 503, "message": "Service Unavailable"}}


def test_fault_resets_the_connection(start: Start) -> None:
    standin = start()
    token = standin.bearer()
    standin.put("/sandbox/faults", [{"path": PATH, "kind": "reset"}])
    with pytest.raises(requests.ConnectionError, match="reset"):
        standin.get(PATH, token)
    assert standin.get(PATH, token).status_code == 200
    assert [seen["status"] for seen in standin.get("/sandbox/requests").json()] == [200, None, 200]


def test_fault_truncates_the_body(start: Start) -> None:
    standin = start()
    standin.put("/sandbox/faults", [{"path": PATH, "kind": "truncated"}])
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        standin.get(PATH)
    assert standin.get("/sandbox/faults").json()[0]["fired"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "media_type", "text"),
    [
        ({"kind": "empty"}, 200, "application/json", ""),
        ({"kind": "html"}, 200, "text/html; charset=utf-8", "<html>"),
        ({"kind": "html", "status": 502}, 502, "text/html; charset=utf-8", "<html>"),
        ({"status": 204}, 204, "application/json", ""),
    ],
    ids=["empty", "html", "html 502", "204"],
)
def test_fault_sends_a_body_that_is_not_json(
    start: Start, fault: dict[str, object], status: int, media_type: str, text: str
) -> None:
    standin = start()
    standin.put("/sandbox/faults", [{"path": ".", **fault}])
    response = standin.get(PATH)
    assert (response.status_code, response.headers["Content-Type"]) == (status, media_type)
    assert response.text.startswith(text)
    assert bool(response.text) == bool(text)
    assert standin.get("/sandbox/faults").json()[0]["fired"] == 1


def test_fault_sends_no_response_until_the_client_times_out(start: Start) -> None:
    standin = start()
    standin.put("/sandbox/faults", [{"path": PATH, "kind": "timeout"}])
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{standin.url}{PATH}", timeout=0.3)
    assert standin.get("/sandbox/faults").json()[0]["fired"] == 1
    assert standin.get(PATH, standin.bearer()).status_code == 200
    assert [seen["status"] for seen in standin.log()] == [None, 200, 200]


def test_stalled_connection_is_closed_for_a_client_without_a_timeout(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "MAX_STALL_S", 0.01)
    standin = start()
    standin.put("/sandbox/faults", [{"path": PATH, "kind": "timeout"}])
    with pytest.raises(requests.ConnectionError, match="without response"):
        standin.get(PATH)
    assert standin.get("/sandbox/faults").json()[0]["fired"] == 1


# fault → the status that a client receives, or None without a response
KINDS: dict[str, tuple[dict[str, object], int | None]] = {
    "500": ({"status": 500}, 500),
    "503": ({}, 503),
    "204": ({"status": 204}, 204),
    "reset": ({"kind": "reset"}, None),
    "timeout": ({"kind": "timeout"}, None),
    "truncated": ({"kind": "truncated"}, None),
    "html": ({"kind": "html", "status": 502}, 502),
    "empty": ({"kind": "empty", "status": 202}, 202),
}


@pytest.fixture(scope="module")
def steady() -> Iterator[Standin]:
    with running(create_app(Synthetic(), today=lambda: date(2026, 11, 21))) as url:
        yield Standin(url)


@pytest.mark.parametrize(("fault", "seen"), KINDS.values(), ids=KINDS)
def test_fault_skips_the_first_requests_and_applies_the_given_number_of_times(
    steady: Standin, fault: dict[str, object], seen: int | None
) -> None:
    steady.put("/sandbox/faults", [{"path": PATH, "after": 1, "times": 2, **fault}])
    headers = {"Authorization": f"Bearer {steady.bearer()}"}
    statuses: list[int | None] = []
    timeout_at_fault = 0.3 if fault.get("kind") == "timeout" else 5
    for timeout in (5, timeout_at_fault, timeout_at_fault, 5):
        try:
            response = requests.get(f"{steady.url}{PATH}", headers=headers, timeout=timeout)
            statuses.append(response.status_code)
        except requests.RequestException:
            statuses.append(None)
    assert statuses == [200, seen, seen, 200]
    (shown,) = steady.get("/sandbox/faults").json()
    assert (shown["matched"], shown["fired"]) == (4, 2)


def test_faults_on_the_same_path_apply_one_after_the_other(start: Start) -> None:
    standin = start()
    late = {"path": EMPTIED, "after": 2, "status": 500}
    standin.put("/sandbox/faults", [{"path": EMPTIED, "status": 501}, {"path": EMPTIED, "status": 502}, late])
    token = standin.bearer()
    assert [standin.get(PATH, token).status_code for _ in range(4)] == [501, 502, 500, 200]
    assert [fault["fired"] for fault in standin.get("/sandbox/faults").json()] == [1, 1, 1]


def test_fault_applies_only_to_matching_path_and_query(start: Start) -> None:
    standin = start()
    token = standin.bearer()
    standin.put(
        "/sandbox/faults", [{"path": "offset=100$", "status": 500}, {"path": "/api/token", "status": 400}]
    )
    pages = [standin.get(f"/v1/playlists/{MIXTAPE}/items?offset={offset}", token) for offset in (0, 100, 100)]
    assert [page.status_code for page in pages] == [200, 500, 200]
    assert standin.token(grant_type="client_credentials").status_code == 400
    assert [fault["fired"] for fault in standin.get("/sandbox/faults").json()] == [1, 1]


@pytest.mark.parametrize(
    "script", [[{"path": "["}], [{"path": ".", "kind": "meteor"}], [{"path": ".", "often": 1}], {"path": "."}]
)
def test_invalid_list_of_faults_is_refused_and_changes_nothing(start: Start, script: object) -> None:
    standin = start()
    standin.put("/sandbox/faults", [{"path": "kept"}])
    response = standin.put("/sandbox/faults", script)
    assert response.status_code == 400
    assert response.json()["error"]
    assert [fault["path"] for fault in standin.get("/sandbox/faults").json()] == ["kept"]
