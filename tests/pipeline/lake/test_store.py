"""The lake's store: keys written once with a checksum, and S3 errors mapped to messages."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
)
from botocore.stub import Stubber
from urllib3 import HTTPResponse

from pipeline.errors import (
    Code,
    ConfigurationError,
    LakeConflict,
    LakeKeyMissing,
    PipelineError,
    Transient,
)
from pipeline.lake.s3_errors import FailedRequest, explained
from pipeline.lake.store import Lake, Written
from pipeline.masking import MAX_MESSAGE_CHARS
from pipeline.usage import Usage, metered

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, KEY, BODY, TYPE = "the-lake", "raw/a.gz", b"the bytes", "application/gzip"
SHA256 = hashlib.sha256(BODY)


def _content(s3: "S3Client", key: str = KEY) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_a_new_key_has_the_bytes_with_content_type_and_checksum(lake: Lake, s3: "S3Client") -> None:
    assert lake.write(KEY, BODY, TYPE) == Written(KEY, len(BODY), SHA256.hexdigest())
    found = s3.head_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")
    assert found["ContentType"] == TYPE
    assert found["ChecksumSHA256"] == base64.b64encode(SHA256.digest()).decode()
    assert lake.read(KEY) == BODY


def test_writing_the_same_bytes_again_succeeds_and_changes_nothing(lake: Lake, s3: "S3Client") -> None:
    first = lake.write(KEY, BODY, TYPE)
    written = s3.head_object(Bucket=BUCKET, Key=KEY)["LastModified"]
    assert lake.write(KEY, BODY, TYPE) == first
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["LastModified"] == written


@pytest.mark.parametrize("other", [b"", b"the byteS", b"the bytes, and more"])
def test_writing_other_bytes_is_a_conflict_and_changes_nothing(
    lake: Lake, s3: "S3Client", other: bytes
) -> None:
    lake.write(KEY, BODY, TYPE)
    with pytest.raises(LakeConflict, match=r"s3://the-lake/raw/a\.gz exists with other content"):
        lake.write(KEY, other, TYPE)
    assert _content(s3) == BODY


def test_equal_bytes_without_a_checksum_are_a_conflict(lake: Lake, s3: "S3Client") -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=BODY)
    with pytest.raises(LakeConflict):
        lake.write(KEY, BODY, TYPE)


def test_an_empty_body_can_be_written_and_read(lake: Lake) -> None:
    assert lake.write(KEY, b"", TYPE).bytes == 0
    assert lake.read(KEY) == b""


class Folder(NamedTuple):
    """A folder as configured in the lake block, and the prefix of its keys."""

    given: str
    prefix: str


@pytest.mark.parametrize(
    "folder", [Folder("", ""), Folder("/", ""), Folder("a", "a/"), Folder("/a/b/", "a/b/")], ids=str
)
def test_keys_are_stored_under_the_folder_and_named_without_it(s3: "S3Client", folder: Folder) -> None:
    lake = Lake(s3, BUCKET, folder.given)
    s3.put_object(Bucket=BUCKET, Key=f"{folder.prefix}raw/b", Body=BODY)
    s3.put_object(Bucket=BUCKET, Key=f"{folder.prefix}tables/x", Body=BODY)
    lake.write("raw/a", BODY, TYPE)
    assert _content(s3, f"{folder.prefix}raw/a") == BODY
    assert list(lake.keys("raw/")) == ["raw/a", "raw/b"]
    assert lake.exists("raw/b")
    assert lake.read("raw/b") == BODY
    assert lake.url == f"s3://the-lake/{folder.prefix}"


def test_a_folder_does_not_list_another_whose_name_starts_the_same(s3: "S3Client") -> None:
    Lake(s3, BUCKET, "ab").write("raw/x", BODY, TYPE)
    assert list(Lake(s3, BUCKET, "a").keys("")) == []


def test_a_file_is_written_like_bytes(lake: Lake, s3: "S3Client") -> None:
    for _ in range(2):  # the second time the key exists
        file = BytesIO(BODY)
        file.seek(3)
        assert lake.write_file(KEY, file, SHA256.digest(), TYPE) == Written(
            KEY, len(BODY), SHA256.hexdigest()
        )
    assert _content(s3) == BODY
    other = BytesIO(BODY[::-1])
    with pytest.raises(LakeConflict):
        lake.write_file(KEY, other, hashlib.sha256(BODY[::-1]).digest(), TYPE)


def test_a_retried_upload_sends_the_file_from_its_start() -> None:
    client: Any = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    sent: list[bytes] = []

    def respond(request: Any, **_: object) -> AWSResponse:
        sent.append(request.body.read())
        headers: Any = {}
        status = 503 if len(sent) == 1 else 200
        return AWSResponse(request.url, status, headers, HTTPResponse(BytesIO(), preload_content=False))

    client.meta.events.register("before-send.s3.PutObject", respond)
    client.meta.events.register("needs-retry.s3.PutObject", lambda **_: 0 if len(sent) == 1 else None)
    Lake(client, BUCKET)  # an earlier run with the same credentials shares the client
    with metered() as meter:
        Lake(client, BUCKET).write_file(KEY, BytesIO(BODY), SHA256.digest(), TYPE)
    assert sent == [BODY, BODY]
    assert meter.usage() == Usage(lake_requests=2, lake_bytes_written=2 * len(BODY))


def test_a_missing_key_does_not_exist_and_cannot_be_read(lake: Lake) -> None:
    assert not lake.exists(KEY)
    assert list(lake.keys("raw/")) == []
    with pytest.raises(LakeKeyMissing, match=rf"s3://the-lake/.*{KEY} does not exist. Restore the file"):
        lake.read(KEY)


def test_a_missing_bucket_is_named_with_the_action_to_take(s3: "S3Client") -> None:
    lake = Lake(s3, "no-such-lake")
    explanation = (
        r"s3://no-such-lake/(raw/.*)?: the bucket does not exist: create it, or correct `bucket_name`"
    )
    with pytest.raises(ConfigurationError, match=explanation):
        lake.write(KEY, BODY, TYPE)
    with pytest.raises(ConfigurationError, match=explanation):
        lake.read(KEY)
    with pytest.raises(ConfigurationError, match=explanation):
        list(lake.keys("raw/"))


class Refusal(NamedTuple):
    """An error response of S3, and the expected error."""

    code: str
    status: int
    error: type[PipelineError]
    message: str


AT = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
DATED = {"HTTPHeaders": {"date": "Sat, 21 Nov 2026 06:00:00 GMT"}}
SECRET = "a-session-token"
"""Part of a request that a proxy or a firewall might echo."""
REFUSALS = [
    Refusal("AccessDenied", 403, ConfigurationError, r"PutObject.*s3:PutObject on this key \[LAKE_DENIED"),
    Refusal("InvalidAccessKeyId", 403, ConfigurationError, "correct the aws block"),
    Refusal("SignatureDoesNotMatch", 403, ConfigurationError, "correct the aws block"),
    Refusal("ExpiredToken", 400, ConfigurationError, "renew it in the aws block"),
    Refusal("RequestTimeTooSkewed", 403, ConfigurationError, "clock.*CLOCK_SKEWED"),
    Refusal(
        "NotImplemented",
        501,
        ConfigurationError,
        "not support conditional writes.*LAKE_NO_CONDITIONAL_WRITES",
    ),
    Refusal("InvalidBucketState", 409, ConfigurationError, "InvalidBucketState"),
    Refusal("ConditionalRequestConflict", 409, Transient, "ConditionalRequestConflict"),
    Refusal("RequestTimeout", 400, Transient, "RequestTimeout"),
    Refusal("SlowDown", 503, Transient, "SlowDown"),
    Refusal("InternalError", 500, Transient, "InternalError"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_an_error_response_is_mapped_to_an_error_with_the_action_to_take(refusal: Refusal) -> None:
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error(
            "put_object", refusal.code, f"you sent {SECRET}", http_status_code=refusal.status
        )
        with pytest.raises(refusal.error, match=refusal.message) as error:
            Lake(client, BUCKET).write(KEY, BODY, TYPE)
        stub.assert_no_pending_responses()
    assert f"lake s3://the-lake/{KEY}: " in str(error.value) or error.value.code == Code.CLOCK_SKEWED
    assert SECRET not in str(error.value)


def test_an_unreachable_s3_is_transient(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    fired = []

    def unreachable(**request: object) -> None:
        fired.append(request)
        raise EndpointConnectionError(endpoint_url="https://nowhere")

    monkeypatch.setattr(s3, "put_object", unreachable)
    monkeypatch.setattr(s3, "head_object", unreachable)
    lake = Lake(s3, BUCKET)
    with pytest.raises(Transient, match="nowhere"):
        lake.write(KEY, BODY, TYPE)
    with pytest.raises(Transient, match="nowhere"):
        lake.exists(KEY)
    assert len(fired) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            InvalidRegionError(region_name="eu bad\r\n<b>Authorization: Bearer secret" + " x" * 500),
            "SETTINGS",
        ),
        (HTTPClientError(error="Proxy says:\r\nAuthorization: Bearer secret" + " x" * 500), "UNAVAILABLE"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_botocore_messages_are_shortened_masked_and_have_one_full_stop(
    error: BotoCoreError, kind: str
) -> None:
    explanation = explained(error, FailedRequest("s3://the-lake/raw/x", 60, None))
    assert explanation.code == f"LAKE_{kind}"
    assert len(explanation.message) < MAX_MESSAGE_CHARS + 100
    assert explanation.message.isprintable()
    assert "***" in explanation.message
    assert "secret" not in explanation.message
    short = explained(
        InvalidRegionError(region_name="eu bad"), FailedRequest("s3://the-lake/raw/x", 60, None)
    )
    assert "'eu bad' doesn't match a supported format. Correct the lake block" in short.message


def test_missing_credentials_are_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    client = boto3.session.Session().client("s3", region_name="us-east-1")
    with pytest.raises(ConfigurationError, match="credentials"):
        Lake(client, "bucket").write("key", b"", "text/plain")


@pytest.mark.parametrize("ahead_s", [-3600, 0, 57])
def test_a_clock_that_is_right_or_behind_is_accepted(s3: "S3Client", ahead_s: int) -> None:
    lake = Lake(s3, BUCKET, now=lambda: datetime.now(UTC) + timedelta(seconds=ahead_s))
    assert list(lake.keys("raw/")) == []
    assert lake.clock_ahead is not None
    assert abs(lake.clock_ahead.total_seconds() - ahead_s) < 30  # includes the duration of the request
    lake.check_clock()


def test_a_clock_ahead_of_s3_is_refused(s3: "S3Client") -> None:
    lake = Lake(s3, BUCKET, now=lambda: datetime.now(UTC) + timedelta(seconds=100))
    lake.check_clock()  # no response yet, so the skew is unknown
    assert list(lake.keys("raw/")) == []
    with pytest.raises(ConfigurationError, match=r"\d s ahead of that of S3.*Set the clock.*CLOCK_SKEWED"):
        lake.check_clock()


def test_an_error_for_skew_states_the_difference() -> None:
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error("put_object", "RequestTimeTooSkewed", http_status_code=403, response_meta=DATED)
        with pytest.raises(ConfigurationError, match=r"is 9\d\d s behind that of S3"):
            Lake(client, BUCKET, now=lambda: AT - timedelta(minutes=16)).write(KEY, BODY, TYPE)


def test_an_html_response_is_transient_and_not_quoted() -> None:
    client: Any = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    body = HTTPResponse(BytesIO(f"<html>{SECRET}".encode()), preload_content=False)
    headers: Any = {}
    page = AWSResponse("https://the-lake", 200, headers, body)
    fired = []

    def respond(**_: object) -> AWSResponse:
        fired.append(page)
        return page

    client.meta.events.register("before-send.s3.ListObjectsV2", respond)
    with pytest.raises(Transient, match=r"ListObjectsV2 \(500, HTTP 500\)") as error:
        list(Lake(client, BUCKET).keys("raw/"))
    assert fired
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("endpoint", "link"),
    [
        (
            "https://s3.eu-west-1.amazonaws.com",
            "https://console.aws.amazon.com/s3/object/bucket?prefix=a%20folder/reports/r.html",
        ),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/bucket/a%20folder/reports/r.html"),
        ("http://minio.example.org:9000", None),
        ("https://amazonaws.com.example.org", None),
    ],
)
def test_keys_in_s3_and_in_the_sandbox_have_a_link(endpoint: str, link: str | None) -> None:
    client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-west-1")
    assert Lake(client, "bucket", "a folder").link("reports/r.html") == link
