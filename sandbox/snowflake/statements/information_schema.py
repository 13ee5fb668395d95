"""Restricts INFORMATION_SCHEMA to tables and views on which the role has a privilege."""

from sqlglot import exp

from sandbox.snowflake.state.session import Session

FILTERED_VIEWS = {"TABLES", "VIEWS", "COLUMNS"}


def hide(session: Session, query: exp.Expr) -> None:
    """Filters the INFORMATION_SCHEMA views in the query, unless the role may see all tables and views."""
    for node in list(query.find_all(exp.Table)):
        if node.db.upper() == "INFORMATION_SCHEMA" and node.name.upper() in FILTERED_VIEWS:
            database = (node.catalog or str(session.database)).upper()
            if hidden := session.account.grants.hidden(session.role, database):
                names = ", ".join(exp.Literal.string(".".join(one.name[1:])).sql() for one in hidden)
                shown = exp.select("*").from_(
                    exp.table_(node.this, db=node.args["db"], catalog=node.args.get("catalog"))
                )
                shown = shown.where(f"table_schema || '.' || table_name NOT IN ({names})")
                node.replace(shown.subquery(node.alias_or_name))
