"""Which privileges a statement needs: by the table of rules, and by what its queries name."""

import re
from functools import lru_cache
from typing import NamedTuple

from sqlglot import exp
from sqlglot.errors import SqlglotError

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import PRIVILEGES
from sandbox.snowflake.statements import grant_statements, rewrite_cache
from sandbox.snowflake.statements.grant_statements import compiled, known_kind
from sandbox.snowflake.statements.privilege_rules import ANY, OWN, RULES

RELATION = "OBJECT"
"""What a query names: a table or a view."""
LONGEST = 20_000  # characters of a statement that is remembered


class Need(NamedTuple):
    """One of the privileges on an object, or OWNERSHIP of it; `name` as it is written."""

    privileges: tuple[str, ...]
    kind: str
    name: str = ""


class Effect(NamedTuple):
    """What becomes of an object: CREATE or DROP."""

    verb: str
    kind: str
    name: str
    replace: bool = False
    copy_grants: bool = False


class Statement(NamedTuple):
    """What a statement needs and does; `computes`: it needs a virtual warehouse."""

    needs: tuple[Need, ...] = ()
    effect: Effect | None = None
    computes: bool = False
    describes: bool = False  # reads INFORMATION_SCHEMA


_RULES = [(compiled(rule.pattern), rule) for rule in RULES]


def statement(command: str) -> Statement:
    """What the statement needs; raises for one that is not in the table."""
    return _remembered(command) if len(command) <= LONGEST else _read(command)


@lru_cache(maxsize=2048)
def _remembered(command: str) -> Statement:
    return _read(command)


def _read(command: str) -> Statement:
    found = ((rule, pattern.match(command)) for pattern, rule in _RULES)
    rule, match = next((one for one in found if one[1]), (None, None))
    if rule is None or match is None:
        raise errors.not_emulated(" ".join(command.split()[:4]) + " …")
    if re.match(r"GRANT|REVOKE", command, re.IGNORECASE):
        return Statement((_granting(command),))
    groups = match.groupdict()
    needs = tuple(_need(groups, *each) for each in rule.needs if groups[each[2]])
    effect = _effect(groups, command)
    if effect and effect.replace:
        needs = (*needs, Need((OWN,), effect.kind, effect.name))
    if not rule.queries:
        return Statement(needs, effect, rule.computes)
    reads, describes, computes = _queries(command, groups.get("name"))
    shows_only = effect is not None and effect.kind == "VIEW"
    return Statement((*needs, *reads), effect, rule.computes or (computes and not shows_only), describes)


def _need(groups: dict[str, str], privilege: str, kind: str, group: str) -> Need:
    kind = kind or known_kind(groups["kind"].upper().replace("STORAGE ", ""))
    if privilege.startswith("CREATE "):
        return Need((privilege,), kind, groups[group].rpartition(".")[0])
    privileges = (*PRIVILEGES[kind], OWN) if privilege == ANY else (privilege,)
    return Need(
        privileges, RELATION if privilege == ANY and kind in ("TABLE", "VIEW") else kind, groups[group]
    )


def _effect(groups: dict[str, str], command: str) -> Effect | None:
    if groups.get("drop"):
        return Effect("DROP", known_kind(groups["kind"].upper().replace("STORAGE ", "")), groups["name"])
    if not groups.get("create"):
        return None
    kind = known_kind(groups["create"])
    copies = kind in ("TABLE", "VIEW") and bool(re.search(r"\sCOPY\s+GRANTS\s", command, re.IGNORECASE))
    return Effect("CREATE", kind, groups["name"], bool(groups.get("replace")), copies)


def _granting(command: str) -> Need:
    """Grants come from the owner of the object, or from who may manage grants."""
    if match := grant_statements.ROLE.match(command):
        return Need(("MANAGE GRANTS",), "ROLE", match["role"])
    match = grant_statements.PRIVILEGE.match(command)
    if match and not match["which"]:
        return Need(("MANAGE GRANTS",), known_kind(match["kind"]), match["name"] or "")
    return Need(("MANAGE GRANTS",), "ACCOUNT")


def _queries(command: str, target: str | None) -> tuple[list[Need], bool, bool]:
    """SELECT on tables and views, MONITOR on pipes; whether it reads INFORMATION_SCHEMA, or any table."""
    if target and not re.search(r"\b(SELECT|USING|FROM|LIKE)\b", command, re.IGNORECASE):
        return [], False, False
    try:
        tree = rewrite_cache.tree(command)
    except SqlglotError:
        return [], False, False  # fails when it is run
    within = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
    written = tree.this.find(exp.Table) if target and isinstance(tree.this, exp.Expression) else None
    tables = [
        one for one in tree.find_all(exp.Table) if isinstance(one.this, exp.Identifier) and one is not written
    ]
    names = {one: ".".join(part.name for part in one.parts) for one in tables}
    described = {one for one in tables if one.db.upper() == "INFORMATION_SCHEMA"}
    read = {name for one, name in names.items() if one not in described and name.upper() not in within}
    pipes = [
        node.expressions[0].name
        for node in tree.find_all(exp.Anonymous)
        if node.name.upper() == "SYSTEM$PIPE_STATUS" and isinstance(node.expressions[0], exp.Literal)
    ]
    needs = [Need(("SELECT",), RELATION, name) for name in sorted(read)]
    needs += [Need(("MONITOR",), "PIPE", name) for name in pipes]
    history = any(isinstance(node, exp.TableFromRows) for node in tree.walk())
    return needs, bool(described), bool(tables) or history
