"""Which privileges a statement needs: by the table of rules, and by what its queries name."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import sqlglot
from sqlglot import TokenType, exp

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import PRIVILEGES
from sandbox.snowflake.statements import grant_statements, rewrite_cache
from sandbox.snowflake.statements.object_names import compiled, known_kind
from sandbox.snowflake.statements.privilege_rules import ANY, OWN, RULES

RELATION = "OBJECT"
"""What a query names: a table or a view."""
LONGEST = 20_000  # characters of a statement that is remembered


class Need(NamedTuple):
    """One of the privileges on an object, or OWNERSHIP of it; `name` as it is written.

    `if_exists`: the object may be missing.
    """

    privileges: tuple[str, ...]
    kind: str
    name: str = ""
    if_exists: bool = False


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
    _require_names(command)
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
        needs = (*needs, Need((OWN,), effect.kind, effect.name, if_exists=True))
    if not rule.root:
        return Statement(needs, effect, rule.computes)
    reads, describes, computes = _queries(_tree(command, rule.root), writes="name" in groups)
    shows_only = effect is not None and effect.kind == "VIEW"
    return Statement((*needs, *reads), effect, rule.computes or (computes and not shows_only), describes)


def _require_names(command: str) -> None:
    """Raises for several statements, and for IDENTIFIER(): what either names is not seen below."""
    if ";" not in command and "IDENTIFIER" not in command.upper():
        return  # quicker than reading it
    tokens = sqlglot.tokenize(command, read="snowflake")
    ends = [TokenType.SEMICOLON, *(token.token_type for token in tokens)]
    count = sum(before == TokenType.SEMICOLON != after for before, after in pairwise(ends))
    if count > 1:
        message = f"Actual statement count {count} did not match the desired statement count 1."
        raise errors.failure(8, "0A000", message)
    for word, after in pairwise(tokens):
        if word.text.upper() == "IDENTIFIER" and after.token_type == TokenType.L_PAREN:
            raise errors.not_emulated("IDENTIFIER()")


def _tree(command: str, root: tuple[type[exp.Expr], ...]) -> exp.Expr:
    """What the statement reads as; raises if it begins like another kind than it is, or has one inside."""
    tree = rewrite_cache.tree(command)
    inside = (node for node in tree.find_all(exp.DML) if not isinstance(node.parent, exp.When))
    wrong = next((node for node in inside if node is not tree), None if isinstance(tree, root) else tree)
    if wrong is not None:
        raise errors.failure(
            1003, "42000", f"SQL compilation error:\nsyntax error: unexpected {wrong.key.upper()}."
        )
    return tree


def _need(groups: dict[str, str], privilege: str, kind: str, group: str) -> Need:
    kind = kind or known_kind(groups["kind"].upper().replace("STORAGE ", ""))
    if privilege.startswith("CREATE "):
        return Need((privilege,), kind, groups[group].rpartition(".")[0])
    if privilege == ANY:
        return Need((*PRIVILEGES[kind], OWN), RELATION if kind in ("TABLE", "VIEW") else kind, groups[group])
    return Need((privilege,), kind, groups[group], bool(groups.get("if_there")))


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
    if match is None:
        raise errors.not_emulated(f"this form of {' '.join(command.split())}")
    if match["which"]:
        return Need(("MANAGE GRANTS",), "ACCOUNT")
    return Need(("MANAGE GRANTS",), known_kind(match["kind"]), match["name"] or "")


def _queries(tree: exp.Expr, *, writes: bool) -> tuple[list[Need], bool, bool]:
    """SELECT on tables and views; whether it reads INFORMATION_SCHEMA, or any table."""
    written = tree.this.find(exp.Table) if writes else None
    tables = [one for one in tree.find_all(exp.Table) if one is not written]
    for one in tables:
        if isinstance(one.this, exp.Func):
            raise errors.failure(2140, "42601", f"SQL compilation error:\nUnknown function {one.this.name}.")
        if not isinstance(one.this, exp.Identifier):
            raise errors.not_emulated(f"FROM {one.sql(dialect='snowflake')}")
    described = [one for one in tables if one.db.upper() == "INFORMATION_SCHEMA"]
    read = [one for one in tables if one not in described and not _names_cte(one)]
    names = sorted({".".join(f'"{part.name}"' for part in one.parts) for one in read})
    computes = bool(tables) or tree.find(exp.TableFromRows) is not None
    return [Need(("SELECT",), RELATION, name) for name in names], bool(described), computes


def _names_cte(table: exp.Table) -> bool:
    """Whether a CTE of that name can be seen from there: a later part of WITH, or the query after it."""
    node: exp.Expr = table
    while not table.db and node.parent is not None:
        above = node.parent
        clause = above if isinstance(above, exp.With) else above.args.get("with_")
        if clause is not None and clause is not node:
            own = above is clause  # the table is in a part of WITH
            before = (node.index or 0) + bool(clause.args.get("recursive")) if own else None
            if any(cte.alias.upper() == table.name.upper() for cte in clause.expressions[:before]):
                return True
        node = above
    return False
