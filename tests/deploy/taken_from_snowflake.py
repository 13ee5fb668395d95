"""Faults in Snowflake: each privilege of sql/account is revoked."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.account_grants import AccountGrant, account_grants
from tests.deploy.surroundings import Surroundings
from tests.deploy.taken_away import Case


def snowflake() -> Iterator[tuple[str, Case]]:
    """Each privilege of each GRANT is revoked: on future objects, and on one existing object."""
    for place, grant in enumerate(account_grants({})):
        for privilege in grant.privileges:

            @contextmanager
            def revoked(
                s: Surroundings, place: int = place, privilege: str = privilege
            ) -> Iterator[dict[str, str]]:
                statement = s.account_grants()[place].statement((privilege,), "FUTURE")
                s.administer(_revoke(statement))
                yield {}
                s.administer(statement)

            @contextmanager
            def revoked_on_one(
                s: Surroundings, place: int = place, privilege: str = privilege
            ) -> Iterator[dict[str, str]]:
                own = s.account_grants()[place]
                statement = f"GRANT {privilege} ON {own.kind} {s.owned(own)} TO ROLE {own.who}"
                s.administer(_revoke(statement))
                yield {}
                s.administer(statement)

            statement = grant.statement((privilege,), "FUTURE")
            red = (f"Snowflake: {grant.who}: {_kind(grant)}",)
            yield statement, Case(revoked, red, _wanted(grant, privilege))
            if grant.future:
                one = f"GRANT {privilege} ON {grant.kind} "
                yield f"{one}(that exists) TO ROLE {grant.who}", Case(revoked_on_one, red, one)


def _revoke(statement: str) -> str:
    what, _, who = statement.removeprefix("GRANT").rpartition(" TO ")
    return f"REVOKE{what} FROM {who}"


def _kind(grant: AccountGrant) -> str:
    return f"FUTURE {grant.kind}S" if grant.future else grant.kind


def _wanted(grant: AccountGrant, privilege: str) -> str:
    return f"GRANT ROLE {grant.name}" if grant.kind == "ROLE" else f"GRANT {privilege} ON {_kind(grant)}"
