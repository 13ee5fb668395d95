"""Evaluates from their text whether IAM policies allow an action.

Supported: Effect, Action, NotAction, Resource, NotResource and Principal with wildcards, and conditions that
compare strings (`StringEquals`, `StringLike`, `ArnEquals`, `ArnLike`, their negations, `Bool`). The result is
"unknown" if it depends on another condition. Ignored: permission boundaries, service control policies, bucket
and key policies, policy variables (`${aws:username}`), and a Deny for only some of the keys of a prefix.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from deploy.policies import ASSUME, Document

Decision = Literal["allowed", "denied", "unknown"]
Context = Mapping[str, str]
"""Values of condition keys in a request."""

ALWAYS = {"aws:SecureTransport": "true"}
EQUAL = ("StringEquals", "StringEqualsIgnoreCase", "ArnEquals", "Bool")
LIKE = ("StringLike", "ArnLike")
UNLIKE = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnLike"}
UNLIKE |= {"ArnNotLike": "ArnLike"}


def evaluate(policies: Iterable[Document], action: str, resource: str, context: Context) -> Decision:
    """Evaluates the action on the resource against all policies together.

    A `*` in `resource` means every key: only patterns that have a `*` in that place match it.
    """
    return _decide(
        (one, _conditions_are_true(one, context))
        for policy in policies
        for one in _listed(policy.get("Statement"))
        if _names(one, "Action", action, ignore_case=True) and _names(one, "Resource", resource)
    )


def evaluate_trust(trust: Document, principal: tuple[str, str], context: Context) -> Decision:
    """Evaluates whether a principal, as kind (`Service`, `AWS`) and name, may assume the role."""
    return _decide(
        (one, _conditions_are_true(one, context))
        for one in _listed(trust.get("Statement"))
        if _names(one, "Action", ASSUME, ignore_case=True) and _is_principal(one, *principal)
    )


def _decide(matching: Iterable[tuple[Document, bool | None]]) -> Decision:
    found = {(one.get("Effect"), is_true) for one, is_true in matching}
    if ("Deny", True) in found:
        return "denied"
    if ("Allow", True) in found:
        return "unknown" if ("Deny", None) in found else "allowed"
    return "unknown" if ("Allow", None) in found else "denied"


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """The value as a list: policies may contain a single value in place of a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _names(one: Document, element: str, name: str, *, ignore_case: bool = False) -> bool:
    patterns, excluded = _listed(one.get(element)), _listed(one.get(f"Not{element}"))
    if excluded:
        return not any(_like(pattern, name, ignore_case=ignore_case) for pattern in excluded)
    return any(_like(pattern, name, ignore_case=ignore_case) for pattern in patterns)


def _is_principal(one: Document, kind: str, name: str) -> bool:
    given = one.get("Principal")
    if given == "*":
        return True
    values = _listed((given or {}).get(kind))
    account = re.fullmatch(r"arn:[\w-]+:iam::(\d+):.+", name)
    account_names = {account[1], name.partition("::")[0] + f"::{account[1]}:root"} if account else set()
    return any(value in ("*", name) or value in account_names for value in values)


def _conditions_are_true(one: Document, context: Context) -> bool | None:
    """Returns True if all conditions are true, None if unknown."""
    given = {key.lower(): value for key, value in {**ALWAYS, **context}.items()}
    found = [
        _compare(operator, _listed(values), given.get(key.lower()))
        for operator, pairs in (one.get("Condition") or {}).items()
        for key, values in pairs.items()
    ]
    return False if False in found else None if None in found else True


def _compare(operator: str, values: list[Any], given: str | None) -> bool | None:
    plain = operator.removesuffix("IfExists")
    if given is None:
        return None
    if plain in UNLIKE:
        same = _compare(UNLIKE[plain], values, given)
        return None if same is None else not same
    if plain in LIKE:
        return any(_like(str(value), given) for value in values)
    if plain in EQUAL:
        lower = plain in ("StringEqualsIgnoreCase", "Bool")
        return any(_equal(str(value), given, ignore_case=lower) for value in values)
    return None


def _equal(value: str, given: str, *, ignore_case: bool) -> bool:
    return value.lower() == given.lower() if ignore_case else value == given


def _like(pattern: str, name: str, *, ignore_case: bool = False) -> bool:
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return bool(re.fullmatch("".join(parts), name, re.DOTALL | (re.IGNORECASE if ignore_case else 0)))
