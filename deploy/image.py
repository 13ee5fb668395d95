"""Builds the image from this checkout and pushes it to the account's ECR repository."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).parents[1]
NO_VERSION = (
    "this is not a git checkout, so the image has no tag: set PIPELINE_IMAGE to an image that you have pushed"
)


class ImageNotPushed(Exception):
    """The image was not pushed; the message states why and what to do."""


def image_name(repository: str) -> str:
    """Name of the image of this checkout. The tag is the version that receipts show as `code_version`."""
    return f"{repository}:{_version().replace('/', '-')}"


def push_image(image: str, environment: Mapping[str, str]) -> None:
    """Logs in to ECR, builds and pushes the image; raises ImageNotPushed."""
    registry = image.partition("/")[0]
    user, password = _ecr_login(environment)
    _run(["docker", "login", "--username", user, "--password-stdin", registry], password)
    build = ["docker", "build", "--platform", "linux/amd64", "--build-arg", f"PIPELINE_VERSION={_version()}"]
    _run([*build, "--tag", image, "."])
    _run(["docker", "push", image])


def _version() -> str:
    command = ["git", "describe", "--tags", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    except (OSError, subprocess.CalledProcessError):
        raise ImageNotPushed(NO_VERSION) from None
    return done.stdout.strip()


def _ecr_login(environment: Mapping[str, str]) -> tuple[str, str]:
    """User name and password of the registry, valid for twelve hours."""
    region = environment.get("AWS_DEFAULT_REGION")
    try:
        session = boto3.Session(profile_name=environment.get("AWS_PROFILE"), region_name=region)
        ecr: Any = session.client("ecr")
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise ImageNotPushed(f"no login to ECR ({error}): log in to AWS") from None
    user, _, password = b64decode(token).decode().partition(":")
    return user, password


def _run(command: list[str], given: str | None = None) -> None:
    sys.stdout.write(f"{' '.join(command)}\n")
    sys.stdout.flush()
    try:
        subprocess.run(command, cwd=ROOT, input=given, text=True, check=True)  # noqa: S603 - our own command
    except FileNotFoundError:
        raise ImageNotPushed("docker is not installed: install it and start its engine") from None
    except subprocess.CalledProcessError as error:
        raise ImageNotPushed(f"`{' '.join(command[:2])}` ended with status {error.returncode}") from None
