"""The image contains what the flows need, and nothing else."""

import pytest
from dockerfile_parse import DockerfileParser

from tests.deploy.image import ROOT, Image, kept_by_dockerignore

UNKNOWN_RUN = {"PREFECT__FLOW_RUN_ID": "00000000-0000-0000-0000-000000000000"}


@pytest.mark.faults  # runs of test_rehearsal.py import them in the same image
def test_the_flows_can_be_imported_in_the_image(image: Image) -> None:
    modules = "flows.ingest, flows.backfill, pipeline.warehouse.snowpipe, blocks.register, prefect_snowflake"
    done = image.run("python", "-c", f"import {modules}, sys; print(sys.prefix, flows.__file__)")
    assert done.returncode == 0, done.stderr
    prefix, file = done.stdout.split()
    assert (prefix, file) == (str(image.bin.parent), str(image.workdir / "flows" / "__init__.py"))


@pytest.mark.parametrize("name", ["sandbox", "tests", "deploy", "moto", "fakesnow", "pytest", "mypy"])
def test_nothing_else_can_be_imported_in_the_image(image: Image, name: str) -> None:
    done = image.run("python", "-c", f"import {name}")
    assert f"No module named '{name}'" in done.stderr


def test_a_run_without_an_api_fails_with_a_clear_message(image: Image) -> None:
    done = image.run("prefect", "flow-run", "execute", **UNKNOWN_RUN)
    assert done.returncode == 1
    assert "No Prefect API URL provided. Please set PREFECT_API_URL" in done.stderr


def test_the_base_is_slim_and_the_user_is_not_root() -> None:
    steps = DockerfileParser(str(ROOT / "Dockerfile")).structure
    found = {step["instruction"]: step["value"] for step in steps}  # the last of each
    assert found["FROM"].startswith("python:3.11-slim")
    assert found["USER"] == "pipeline"
    (installed,) = [step["value"] for step in steps if "pip install" in step["value"]]
    assert {"--require-hashes", "--no-deps"} <= set(installed.split())


def test_only_these_paths_are_sent_to_the_build() -> None:
    assert kept_by_dockerignore() == ["requirements.txt", "flows", "pipeline", "blocks", "sql"]
