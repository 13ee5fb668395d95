"""Settings of a bucket, compared with those of the stack's own bucket."""

from collections.abc import Callable
from typing import Any

from pipeline.lake.layout import TABLES_PREFIX

Configured = Callable[[str], dict[str, Any]]
"""Response of one of S3's `get_…` calls; empty if nothing is configured."""

EXPIRING = (TABLES_PREFIX, "reports/")
"""Prefixes whose files the stack's own bucket deletes after some time, with the template's defaults."""


def missing_settings(configured: Configured, folder: str) -> list[str]:
    """Settings that the stack's own bucket has and this one lacks, and a key that the roles may not use."""
    block = configured("get_public_access_block").get("PublicAccessBlockConfiguration", {})
    ownership = configured("get_bucket_ownership_controls").get("OwnershipControls", {}).get("Rules", [])
    encryption = _encryption(configured)
    found = {
        "encryption": bool(encryption),
        "rights of the roles on its KMS key (docs/by-hand.md)": not any("kms" in one for one in encryption),
        "public access blocked": len(block) > 0 and all(block.values()),
        "bucket owner owns all objects": {"ObjectOwnership": "BucketOwnerEnforced"} in ownership,
        "requests without TLS refused": "aws:SecureTransport"
        in configured("get_bucket_policy").get("Policy", ""),
        "versioning": configured("get_bucket_versioning").get("Status") == "Enabled",
    }
    rules = [
        rule
        for rule in configured("get_bucket_lifecycle_configuration").get("Rules", [])
        if rule["Status"] == "Enabled" and not _is_partial(rule)
    ]
    for prefix in EXPIRING:
        found[f"lifecycle for {folder}{prefix}"] = _covers(rules, "Expiration", f"{folder}{prefix}")
    found["lifecycle for old versions"] = _covers(rules, "NoncurrentVersionExpiration", folder)
    found["lifecycle for incomplete uploads"] = _covers(rules, "AbortIncompleteMultipartUpload", folder)
    return [setting for setting, is_configured in found.items() if not is_configured]


def _encryption(configured: Configured) -> list[str]:
    """Algorithms of the default encryption."""
    rules = configured("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    return [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules]


def _covers(rules: list[dict[str, Any]], action: str, prefix: str) -> bool:
    """Returns True if one of the rules has the action for all files below the prefix."""
    return any(_acts(rule.get(action, {})) and prefix.startswith(_prefix(rule)) for rule in rules)


def _acts(action: dict[str, Any]) -> bool:
    """Returns True if the action deletes something: an Expiration may be about delete markers only."""
    return bool(action.keys() - {"ExpiredObjectDeleteMarker"})


def _is_partial(rule: dict[str, Any]) -> bool:
    """Returns True if the rule only holds for some files: those with a tag, or of some size."""
    filtered = rule.get("Filter", {})
    return bool((filtered.keys() | filtered.get("And", {}).keys()) - {"Prefix", "And"})


def _prefix(rule: dict[str, Any]) -> str:
    """Prefix of a lifecycle rule; S3 has three forms of it."""
    filtered = rule.get("Filter", {})
    return str(rule.get("Prefix") or filtered.get("Prefix") or filtered.get("And", {}).get("Prefix", ""))
