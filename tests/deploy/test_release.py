"""`make deploy`: log in, build, push, deploy, with a docker that only takes notes."""

from pathlib import Path
from typing import Any

import pytest

from deploy import deployments, image
from deploy.deployed_file import FILE, deploy_environment, write_file

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spotify-playlist-pipeline"
DOCKER = '#!/bin/sh\necho "$@" >> {notes}\n[ "$1" != login ] || cat >> {notes}\n[ "$1" != "{fails}" ]\n'


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Somebody after `apply`; what was deployed with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IMAGE", raising=False)
    found: list[Any] = []
    monkeypatch.setattr(deployments, "_deploy", lambda environment: found.extend([environment]))
    monkeypatch.setattr(deployments, "_checked_environment", lambda **others: deploy_environment() | others)
    monkeypatch.setattr(image, "_ecr_login", lambda _: ("AWS", "canary-password"))
    write_file({"IMAGE_REPOSITORY": REPOSITORY})
    return found


def use_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str = "") -> Path:
    notes, docker = folder / "notes", folder / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(notes=notes, fails=fails), encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    return notes


def test_the_image_is_built_pushed_and_deployed(
    deployed: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image, "_version", lambda: "v1.2-3-gabc")
    notes = use_docker(tmp_path, monkeypatch)
    assert not deployments.release()
    name, version = f"{REPOSITORY}:v1.2-3-gabc", "PIPELINE_VERSION=v1.2-3-gabc"
    assert notes.read_text(encoding="utf-8").splitlines() == [
        f"login --username AWS --password-stdin {REPOSITORY.partition('/')[0]}",
        f"canary-passwordbuild --platform linux/amd64 --build-arg {version} --tag {name} .",
        f"push {name}",
    ]
    assert [one["PIPELINE_IMAGE"] for one in deployed] == [name]
    assert deploy_environment()["PIPELINE_IMAGE"] == name
    assert "canary-password" not in capfd.readouterr().out + FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("fails", ["login", "build", "push"])
def test_without_a_pushed_image_nothing_is_deployed(
    deployed: list[Any],
    fails: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(image, "_version", lambda: "1")
    use_docker(tmp_path, monkeypatch, fails)
    assert deployments.release() == 1
    assert deployed == []
    assert f"nothing is deployed: `docker {fails}` ended with status 1" in capfd.readouterr().err
    assert "PIPELINE_IMAGE" not in deploy_environment()


def test_an_image_that_is_given_is_only_deployed(
    deployed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_IMAGE", "image:1")
    assert not deployments.release()
    assert [one["PIPELINE_IMAGE"] for one in deployed] == ["image:1"]
