"""Privileges that a statement needs, from the table of rules and from the tables and views in its queries."""

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
"""Kind of an object in a query: a table or a view."""
MAX_CACHED_CHARACTERS = 20_000
"""Maximum length of a statement that is cached."""


class Need(NamedTuple):
    """Any one of `privileges`, or OWNERSHIP, on an object; `name` as in the statement.

    `if_exists`: the object may not exist.
    """

    privileges: tuple[str, ...]
    kind: str
    name: str = ""
    if_exists: bool = False


class Effect(NamedTuple):
    """An object that the statement creates or drops; `verb`: CREATE or DROP."""

    verb: str
    kind: str
    name: str
    replace: bool = False
    copy_grants: bool = False


class Statement(NamedTuple):
    """Privileges and effect of a statement; `needs_warehouse`: it needs a virtual warehouse."""

    needs: tuple[Need, ...] = ()
    effect: Effect | None = None
    needs_warehouse: bool = False
    reads_information_schema: bool = False


_RULES = [(compiled(rule.pattern), rule) for rule in RULES]


def statement(command: str) -> Statement:
    """Returns the privileges and the effect; raises for a statement without a rule."""
    return _cached(command) if len(command) <= MAX_CACHED_CHARACTERS else _analyse(command)


@lru_cache(maxsize=2048)
def _cached(command: str) -> Statement:
    return _analyse(command)


def _analyse(command: str) -> Statement:
    _refuse_hidden_names(command)
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
        return Statement(needs, effect, rule.needs_warehouse)
    reads, reads_information_schema, reads_tables = _queries(
        _tree(command, rule.root), writes="name" in groups
    )
    creates_view = effect is not None and effect.kind == "VIEW"
    needs_warehouse = rule.needs_warehouse or (reads_tables and not creates_view)
    return Statement((*needs, *reads), effect, needs_warehouse, reads_information_schema)


def _refuse_hidden_names(command: str) -> None:
    """Raises for several statements in one text and for IDENTIFIER(): the rules would not see their names."""
    if ";" not in command and "IDENTIFIER" not in command.upper():
        return  # faster than tokenizing it
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
    """Returns the syntax tree; raises if its class is not in `root`, or if it contains another DML."""
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
    return Need((privilege,), kind, groups[group], bool(groups.get("if_exists")))


def _effect(groups: dict[str, str], command: str) -> Effect | None:
    if groups.get("drop"):
        return Effect("DROP", known_kind(groups["kind"].upper().replace("STORAGE ", "")), groups["name"])
    if not groups.get("create"):
        return None
    kind = known_kind(groups["create"])
    copies = kind in ("TABLE", "VIEW") and bool(re.search(r"\sCOPY\s+GRANTS\s", command, re.IGNORECASE))
    return Effect("CREATE", kind, groups["name"], bool(groups.get("replace")), copies)


def _granting(command: str) -> Need:
    """GRANT and REVOKE need OWNERSHIP of the object, or MANAGE GRANTS."""
    if match := grant_statements.ROLE.match(command):
        return Need(("MANAGE GRANTS",), "ROLE", match["role"])
    match = grant_statements.PRIVILEGE.match(command)
    if match is None:
        raise errors.not_emulated(f"this form of {' '.join(command.split())}")
    if match["which"]:
        return Need(("MANAGE GRANTS",), "ACCOUNT")
    return Need(("MANAGE GRANTS",), known_kind(match["kind"]), match["name"] or "")


def _queries(tree: exp.Expr, *, writes: bool) -> tuple[list[Need], bool, bool]:
    """Returns SELECT on the relations read, whether INFORMATION_SCHEMA is read, and whether any table is."""
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
    reads_tables = bool(tables) or tree.find(exp.TableFromRows) is not None
    return [Need(("SELECT",), RELATION, name) for name in names], bool(described), reads_tables


def _names_cte(table: exp.Table) -> bool:
    """Returns True if the name refers to a CTE: in a later part of its WITH, or in the query after it."""
    node: exp.Expr = table
    while not table.db and node.parent is not None:
        above = node.parent
        clause = above if isinstance(above, exp.With) else above.args.get("with_")
        if clause is not None and clause is not node:
            inside_with = above is clause
            before = (node.index or 0) + bool(clause.args.get("recursive")) if inside_with else None
            if any(cte.alias.upper() == table.name.upper() for cte in clause.expressions[:before]):
                return True
        node = above
    return False
