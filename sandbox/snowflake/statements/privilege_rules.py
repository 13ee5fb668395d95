"""Table of the privileges that each kind of statement needs."""

from typing import NamedTuple

from sqlglot import exp

from sandbox.snowflake.statements.object_names import NAME


class Rule(NamedTuple):
    """A kind of statement; `needs`: privilege, kind of object, and group of the pattern with its name.

    `root`: expected class of the syntax tree; the statement then also needs SELECT on all tables and views in
    its queries. `needs_warehouse`: it needs a virtual warehouse; queries of tables always need one.
    """

    pattern: str
    needs: tuple[tuple[str, str, str], ...] = ()
    root: tuple[type[exp.Expr], ...] = ()
    needs_warehouse: bool = False


OWN = "OWNERSHIP"
ANY = "ANY"
"""Any privilege on the object."""
IF_EXISTS = r"(?P<if_exists>IF\s+(?:NOT\s+)?EXISTS\s+)?"
ON_ACCOUNT = {"DATABASE": "", "WAREHOUSE": "", "ROLE": "", "USER": "", "INTEGRATION": r"STORAGE\s+"}
MODIFIERS = {"TABLE": r"(?:(?:TRANSIENT|TEMPORARY|TEMP)\s+)?"}
STAGE_AND_FORMAT = r"(?=.*?@(?P<stage>[\w.\"$]+)|)(?=.*?FORMAT_NAME\s*=\s*'?(?P<format>[\w.\"$]+)|)"


def _create(kind: str, modifier: str = "") -> str:
    words = kind.replace(" ", r"\s+")
    return (
        rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?{modifier}(?P<create>{words})\s+{IF_EXISTS}(?P<name>{NAME})"
    )


COPY = (("INSERT", "TABLE", "table"), ("USAGE", "STAGE", "stage"), ("USAGE", "FILE FORMAT", "format"))
RULES = [
    Rule(r"(?:BEGIN|START|COMMIT|ROLLBACK|ALTER\s+SESSION|SHOW|USE\s+(?:ROLE|SECONDARY|WAREHOUSE))\b"),
    Rule(r"(?:GRANT|REVOKE)\s"),  # depends on the object: see needs._granting
    Rule(r"(?:SELECT|WITH|\(|VALUES)\b", root=(exp.Query, exp.Values)),
    Rule(
        rf"INSERT\s+(?:OVERWRITE\s+INTO\s+(?=(?P<emptied>{NAME}))|INTO\s+)(?P<name>{NAME})",
        (("INSERT", "TABLE", "name"), ("DELETE", "TABLE", "emptied")),
        root=(exp.Insert,),
        needs_warehouse=True,
    ),
    Rule(
        rf"UPDATE\s+(?P<name>{NAME})",
        (("UPDATE", "TABLE", "name"),),
        root=(exp.Update,),
        needs_warehouse=True,
    ),
    Rule(
        rf"DELETE\s+FROM\s+(?P<name>{NAME})",
        (("DELETE", "TABLE", "name"),),
        root=(exp.Delete,),
        needs_warehouse=True,
    ),
    Rule(
        rf"MERGE\s+INTO\s+(?P<name>{NAME})",
        (("INSERT", "TABLE", "name"), ("UPDATE", "TABLE", "name"), ("DELETE", "TABLE", "name")),
        root=(exp.Merge,),
        needs_warehouse=True,
    ),
    Rule(
        rf"TRUNCATE\s+(?:TABLE\s+)?{IF_EXISTS}(?P<name>{NAME})",
        (("TRUNCATE", "TABLE", "name"),),
        needs_warehouse=True,
    ),
    Rule(rf"COPY\s+INTO\s+(?P<table>{NAME}){STAGE_AND_FORMAT}", COPY, needs_warehouse=True),
    Rule(
        _create("PIPE") + rf".*?\sAS\s+COPY\s+INTO\s+(?P<table>{NAME}){STAGE_AND_FORMAT}",
        (("CREATE PIPE", "SCHEMA", "name"), *COPY, ("SELECT", "TABLE", "table")),
    ),
    Rule(
        _create("STAGE") + rf"(?=.*STORAGE_INTEGRATION\s*=\s*(?P<integration>{NAME})|)",
        (("CREATE STAGE", "SCHEMA", "name"), ("USAGE", "INTEGRATION", "integration")),
    ),
    Rule(_create("VIEW"), (("CREATE VIEW", "SCHEMA", "name"),), root=(exp.Create,)),
    Rule(_create("TABLE", MODIFIERS["TABLE"]), (("CREATE TABLE", "SCHEMA", "name"),), root=(exp.Create,)),
    Rule(_create("FILE FORMAT"), (("CREATE FILE FORMAT", "SCHEMA", "name"),)),
    Rule(_create("SCHEMA"), (("CREATE SCHEMA", "DATABASE", "name"),)),
    *(
        Rule(_create(kind, word), ((f"CREATE {kind}", "ACCOUNT", "name"),))
        for kind, word in ON_ACCOUNT.items()
    ),
    Rule(rf"ALTER\s+PIPE\s+{IF_EXISTS}(?P<name>{NAME})", (("OPERATE", "PIPE", "name"),)),
    Rule(rf"ALTER\s+WAREHOUSE\s+{IF_EXISTS}(?P<name>{NAME})", (("MODIFY", "WAREHOUSE", "name"),)),
    Rule(
        rf"ALTER\s+(?P<kind>TABLE|VIEW|USER|(?:STORAGE\s+)?INTEGRATION)\s+{IF_EXISTS}(?P<name>{NAME})",
        ((OWN, "", "name"),),
    ),
    Rule(
        rf"(?P<drop>DROP)\s+(?P<kind>[A-Z]+?(?:\s+FORMAT|\s+INTEGRATION)?)\s+{IF_EXISTS}(?P<name>{NAME})",
        ((OWN, "", "name"),),
    ),
    Rule(
        rf"DESC(?:RIBE)?\s+(?P<kind>TABLE|VIEW|USER|(?:STORAGE\s+)?INTEGRATION)\s+(?P<name>{NAME})",
        ((ANY, "", "name"),),
    ),
    Rule(rf"USE\s+SCHEMA\s+(?P<name>{NAME})", (("USAGE", "SCHEMA", "name"),)),
    Rule(rf"USE\s+(?:DATABASE\s+)?(?P<name>{NAME})", (("USAGE", "DATABASE", "name"),)),
]
