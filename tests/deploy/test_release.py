"""`make deploy`: log in, build, push, deploy, with a docker that only records its calls."""

from pathlib import Path
from typing import Any

import pytest

from deploy import deployments, image
from deploy.deployed_file import FILE, deploy_environment, write_file

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spotify-playlist-pipeline"
DOCKER = '#!/bin/sh\necho "$@" >> {calls}\n[ "$1" != login ] || cat >> {calls}\n[ "$1" != "{fails}" ]\n'


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """State after `apply`; the environments with which `prefect deploy` was called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IMAGE", raising=False)
    found: list[Any] = []
    monkeypatch.setattr(deployments, "_deploy", lambda environment: found.extend([environment]))
    monkeypatch.setattr(deployments, "_checked_environment", lambda **others: deploy_environment() | others)
    monkeypatch.setattr(image, "_ecr_login", lambda _: ("AWS", "canary-password"))
    write_file({"IMAGE_REPOSITORY": REPOSITORY})
    return found


def fake_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> Path:
    calls, docker = folder / "calls", folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(calls=calls, fails=fails), encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    return calls


def test_the_image_is_built_pushed_and_deployed(
    deployed: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image, "_version", lambda: "v1.2-3-gabc")
    calls = fake_docker(tmp_path, monkeypatch)
    assert not deployments.release()
    name, version = f"{REPOSITORY}:v1.2-3-gabc", "PIPELINE_VERSION=v1.2-3-gabc"
    assert calls.read_text(encoding="utf-8").splitlines() == [
        f"login --username AWS --password-stdin {REPOSITORY.partition('/')[0]}",
        f"canary-passwordbuild --platform linux/amd64 --build-arg {version} --tag {name} .",
        f"push {name}",
    ]
    assert [one["PIPELINE_IMAGE"] for one in deployed] == [name]
    assert deploy_environment()["PIPELINE_IMAGE"] == name
    assert "canary-password" not in capfd.readouterr().out + FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("fails", ["login", "build", "push"])
def test_if_docker_fails_nothing_is_deployed(
    deployed: list[Any],
    fails: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(image, "_version", lambda: "1")
    fake_docker(tmp_path, monkeypatch, fails)
    assert deployments.release() == 1
    assert deployed == []
    assert f"nothing is deployed: `docker {fails}` ended with status 1" in capfd.readouterr().err
    assert "PIPELINE_IMAGE" not in deploy_environment()


def test_a_given_image_is_only_deployed(deployed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_IMAGE", "image:1")
    assert not deployments.release()
    assert [one["PIPELINE_IMAGE"] for one in deployed] == ["image:1"]
