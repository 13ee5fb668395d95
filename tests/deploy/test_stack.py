"""deploy/aws.yaml: properties of the resources; its policies equal those of docs/by-hand.md."""

import json
import re
from typing import Any

import pytest

from deploy.provision.stack import DESCRIPTION, RETAINED
from deploy.provision.taken_names import EVENTS_QUEUE
from pipeline.lake.layout import (
    DETAILS_PREFIX,
    PREFIXES,
    RECEIPTS_PREFIX,
    REPORTS_PREFIX,
    SUFFIXES,
    TABLES_PREFIX,
    raw_prefix,
)
from tests.deploy.aws import EVENTS
from tests.deploy.stacks import (
    ACCOUNT,
    EXTERNAL_ID,
    FOLDER,
    NAME,
    SNOWFLAKE_USER,
    actions,
    create_stack,
    properties,
    template,
)
from tests.pipeline.lake.conftest import BUCKET, SESSION
from tests.policies import PAGE, documented_json, listed_actions

TEXT = PAGE.read_text(encoding="utf-8")
NO_VALUE = {"Ref": "AWS::NoValue"}
UNTAGGED = {
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::InstanceProfile",
    "AWS::Events::Rule",
    "AWS::SQS::QueuePolicy",
    "AWS::S3::BucketPolicy",
}
EXPIRY = {
    raw_prefix(): ("ExpiresRaw", "RawDays"),
    DETAILS_PREFIX: ("ExpiresDetails", "DetailsDays"),
    TABLES_PREFIX: ("ExpiresTables", "TablesDays"),
    REPORTS_PREFIX: ("ExpiresReports", "ReportsDays"),
}


def test_parameters_and_outputs_are_described_and_resources_are_tagged() -> None:
    found = template()
    assert [
        name
        for section in ("Parameters", "Outputs")
        for name, one in found[section].items()
        if not one.get("Description", "").endswith(".")
    ] == []
    tags = [{"Key": "project", "Value": "spotify-playlist-pipeline"}]
    assert {
        one["Type"] for one in found["Resources"].values() if one["Properties"].get("Tags") != tags
    } == UNTAGGED


def test_the_template_contains_no_secret() -> None:
    secret = properties("PrefectApiKey")
    assert {"SecretString", "GenerateSecretString"}.isdisjoint(secret)
    assert "AWS::IAM::AccessKey" not in {one["Type"] for one in template()["Resources"].values()}


def test_the_lake_is_private_encrypted_versioned_and_retained() -> None:
    lake, lake_properties = template()["Resources"]["Lake"], properties("Lake")
    assert (lake["DeletionPolicy"], lake["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert lake_properties["BucketName"] == {"Ref": "BucketName"}
    assert set(lake_properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(lake_properties["PublicAccessBlockConfiguration"]) == 4
    assert lake_properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    encryption = lake_properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert lake_properties["VersioningConfiguration"] == {"Status": "Enabled"}


def test_an_existing_bucket_is_not_part_of_the_stack() -> None:
    assert template()["Resources"]["Lake"]["Condition"] == "CreatesBucket"
    assert template()["Conditions"]["CreatesBucket"] == {"Fn::Equals": [{"Ref": "ExistingBucket"}, "false"]}
    resources = template()["Resources"]
    assert [name for name, one in resources.items() if '"Lake"' in json.dumps(one)] == ["LakePolicy"]
    assert resources["LakePolicy"]["Condition"] == "CreatesBucket"


def test_the_lake_refuses_requests_without_tls() -> None:
    policy, properties_of = template()["Resources"]["LakePolicy"], properties("LakePolicy")
    assert (policy["DeletionPolicy"], policy["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    (statement,) = properties_of["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    bucket = "arn:${AWS::Partition}:s3:::${BucketName}"
    assert statement["Resource"] == [{"Fn::Sub": bucket}, {"Fn::Sub": f"{bucket}/*"}]


def test_retained_types_are_those_of_the_template() -> None:
    retained = {one["Type"] for one in template()["Resources"].values() if "DeletionPolicy" in one}
    assert retained == RETAINED


def test_the_description_identifies_the_stack() -> None:
    """Every stack of an earlier release has it, so it never changes."""
    assert template()["Description"].startswith(DESCRIPTION)
    assert DESCRIPTION == "spotify-playlist-pipeline: "


def test_the_worker_queue_has_the_default_name_that_is_checked() -> None:
    assert template()["Parameters"]["EventsQueueName"]["Default"] == EVENTS_QUEUE


def test_leftovers_expire_and_each_prefix_has_its_own_retention() -> None:
    leftovers, *expiring = properties("Lake")["LifecycleConfiguration"]["Rules"]
    assert leftovers == {
        "Id": "left-behind",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": {"Ref": "OldVersionDays"}},
        "ExpiredObjectDeleteMarker": True,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    found = {}
    for condition, rule, otherwise in (one["Fn::If"] for one in expiring):
        assert (rule["Status"], otherwise) == ("Enabled", NO_VALUE)
        found[rule["Prefix"]["Fn::Sub"]] = (condition, rule["ExpirationInDays"]["Ref"])
    assert found == {f"${{LakeFolder}}{prefix}": one for prefix, one in EXPIRY.items()}
    assert {*PREFIXES} - {*EXPIRY} == {RECEIPTS_PREFIX}


@pytest.mark.parametrize(("condition", "parameter"), [*EXPIRY.values(), ("ExpiresLogs", "LogDays")])
def test_zero_days_means_never_delete(condition: str, parameter: str) -> None:
    found = template()
    assert found["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, "0"]}]}
    given = found["Parameters"][parameter]
    assert given.get("MinValue", min(given.get("AllowedValues", [1]))) == 0
    assert "0: never delete" in given["Description"]


def test_the_history_is_kept_by_default() -> None:
    days = {name: template()["Parameters"][name]["Default"] for _, name in EXPIRY.values()}
    assert days == {"RawDays": 0, "DetailsDays": 0, "TablesDays": 90, "ReportsDays": 365}


def test_snowpipe_is_notified_of_snowpipe_files_only() -> None:
    condition, notified, otherwise = properties("Lake")["NotificationConfiguration"]["Fn::If"]
    assert template()["Conditions"][condition] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SnowpipeQueueArn"}, ""]}]
    }
    assert otherwise == NO_VALUE
    (queue,) = notified["QueueConfigurations"]
    assert (queue["Event"], queue["Queue"]) == ("s3:ObjectCreated:*", {"Ref": "SnowpipeQueueArn"})
    assert queue["Filter"]["S3Key"]["Rules"] == [
        {"Name": "prefix", "Value": {"Fn::Sub": f"${{LakeFolder}}{TABLES_PREFIX}"}},
        {"Name": "suffix", "Value": SUFFIXES["snowpipe"]},
    ]


def test_images_are_scanned_and_ten_are_kept() -> None:
    images = properties("Images")
    assert images["EmptyOnDelete"]
    assert images["ImageScanningConfiguration"] == {"ScanOnPush": True}
    rules = json.loads(images["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [
        (one["rulePriority"], one["selection"]["tagStatus"], one["selection"]["countNumber"]) for one in rules
    ] == [(1, "untagged", 1), (2, "any", 10)]


def test_logs_expire_after_thirty_days_by_default() -> None:
    assert properties("Logs")["RetentionInDays"] == {"Fn::If": ["ExpiresLogs", {"Ref": "LogDays"}, NO_VALUE]}
    assert template()["Parameters"]["LogDays"]["Default"] == 30


def test_events_of_the_cluster_are_sent_to_the_queue_that_workers_read() -> None:
    assert template()["Parameters"]["EventsQueueName"]["Default"] == EVENTS
    rule, arn = properties("EventsRule"), {"Fn::GetAtt": ["EventsQueue", "Arn"]}
    pattern = re.search(r"--event-pattern \\\n\s*'(.+?)'", TEXT)
    assert pattern
    cluster = {"detail": {"clusterArn": [{"Fn::GetAtt": ["Cluster", "Arn"]}]}}
    assert rule["EventPattern"] == json.loads(pattern[1]) | cluster
    assert [one["Arn"] for one in rule["Targets"]] == [arn]
    document = json.loads(documented_json("`queue.json` has the queue's policy")["Policy"])
    (statement,) = document["Statement"]
    source = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["EventsRule", "Arn"]}}}
    document["Statement"] = [statement | {"Resource": arn, "Condition": source}]
    assert properties("EventsQueuePolicy")["PolicyDocument"] == document


def test_the_policies_for_starting_tasks_equal_those_of_the_docs() -> None:
    assert sorted(actions("StartPolicy")) == sorted(
        listed_actions("| the user or role that starts tasks |", " on both roles")
    )
    observing = listed_actions("The worker's role needs ", ". Without")
    assert sorted(actions("ObservePolicy")) == sorted({*observing} - {*actions("StartPolicy")})
    restrictions = {
        action: (one["Resource"], one.get("Condition"))
        for one in properties("StartPolicy")["PolicyDocument"]["Statement"]
        for action in one["Action"]
    }
    arns = [{"Fn::GetAtt": [role, "Arn"]} for role in ("TaskRole", "ExecutionRole")]
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert restrictions["iam:PassRole"] == (arns, to_ecs)
    created = {"StringEquals": {"ecs:CreateAction": ["RunTask", "RegisterTaskDefinition"]}}
    assert restrictions["ecs:TagResource"] == ("*", created)
    in_the_cluster = ("*", {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}}})
    for action in ("ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks"):
        assert restrictions[action] == in_the_cluster


def test_the_execution_policy_equals_that_of_the_docs() -> None:
    assert "with `AmazonECSTaskExecutionRolePolicy` and `logs:CreateLogGroup`;" in TEXT
    assert "grant `secretsmanager:GetSecretValue` on it to the execution role" in TEXT
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    assert properties("ExecutionRole")["ManagedPolicyArns"] == [{"Fn::Sub": managed}]
    statements = properties("ExecutionPolicy")["PolicyDocument"]["Statement"]
    assert [one["Action"] for one in statements] == [
        ["logs:CreateLogGroup"],
        ["secretsmanager:GetSecretValue"],
    ]
    group, api_key = (one["Resource"] for one in statements)
    account = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
    name = properties("Logs")["LogGroupName"]["Fn::Sub"]
    assert group == [{"Fn::Sub": f"{account}:log-group:{name}{end}"} for end in ("", ":*")]
    assert api_key == [{"Ref": "PrefectApiKey"}]


uses_aws_account = pytest.mark.usefixtures("aws_account")
ignores_moto_warnings = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")


@ignores_moto_warnings
@uses_aws_account
def test_the_roles_of_a_stack_equal_those_of_the_docs() -> None:
    outputs = create_stack()
    iam: Any = SESSION.client("iam")
    trust = {
        name: iam.get_role(RoleName=f"{NAME}-{name}")["Role"]["AssumeRolePolicyDocument"]
        for name in ("task", "execution", "snowflake")
    }
    lake = iam.get_role_policy(RoleName=f"{NAME}-task", PolicyName="lake")["PolicyDocument"]
    read = iam.get_role_policy(RoleName=f"{NAME}-snowflake", PolicyName="read")["PolicyDocument"]
    assert lake == documented_json("**The lake**", BUCKET, FOLDER)
    assert read == documented_json("Save as `read.json`", BUCKET, FOLDER)
    wanted = json.dumps(documented_json("Save as `trust.json`")).replace(
        "STORAGE_AWS_IAM_USER_ARN", SNOWFLAKE_USER
    )
    assert trust["snowflake"] == json.loads(wanted.replace("STORAGE_AWS_EXTERNAL_ID", EXTERNAL_ID))
    by_ecs = json.dumps(documented_json("Save as `ecs-trust.json`")).replace("ACCOUNT-ID", ACCOUNT)
    assert trust["task"] == trust["execution"] == json.loads(by_ecs)
    # The Snowflake integration names the role before the stack exists, so the ARN must be predictable.
    assert outputs["SnowflakeRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}-snowflake"
    assert outputs["TablesUrl"] == f"s3://{BUCKET}/{FOLDER}/tables/"


OUTPUTS = {name: one.get("Condition") for name, one in template()["Outputs"].items()}


@ignores_moto_warnings
@uses_aws_account
@pytest.mark.parametrize(
    ("pool_type", "condition", "existing"), [("ecs:push", "HasUser", "false"), ("ecs", "HasWorker", "true")]
)
def test_a_push_pool_gets_a_user_and_a_worker_gets_a_role(
    pool_type: str, condition: str, existing: str
) -> None:
    found = create_stack(WorkPoolType=pool_type, ExistingBucket=existing)
    # moto does not support the secret, so its output is missing
    assert {*found, "ApiKeySecretArn"} == {name for name, of in OUTPUTS.items() if of in (None, condition)}
    buckets = SESSION.client("s3").list_buckets()["Buckets"]
    assert [one["Name"] for one in buckets] == ([] if existing == "true" else [BUCKET])
