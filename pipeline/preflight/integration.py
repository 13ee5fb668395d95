"""Storage integration: Snowflake's access to the lake."""

from pipeline.errors import Code, ConfigurationError, PipelineError
from pipeline.preflight.checks import NotVisible
from pipeline.preflight.lacking import HIDDEN
from pipeline.warehouse.messages import listed
from pipeline.warehouse.session import Session

INTEGRATION = "SPOTIFY_LAKE"


def describe_integration(session: Session, tables_url: str) -> dict[str, str]:
    """Properties of the integration by name; raises ConfigurationError unless it may read `tables_url`.

    Raises NotVisible if the role may not see the integration.
    """
    try:
        rows = session.rows("preflight/describe_integration")
    except PipelineError as error:
        if error.code in HIDDEN:
            message = f"role {session.place.role} may not see it, or it does not exist: {error.message}"
            raise NotVisible(message) from None
        raise
    found = {row["property"]: str(row["property_value"]) for row in rows}
    if found.get("ENABLED", "").lower() != "true":
        message = (
            f"integration {INTEGRATION} is disabled. "
            f"ALTER STORAGE INTEGRATION {INTEGRATION} SET ENABLED = TRUE"
        )
        raise ConfigurationError(message, Code.INTEGRATION_DIFFERS)
    allowed = found.get("STORAGE_ALLOWED_LOCATIONS", "").split(",")
    if not any(one == "*" or tables_url.startswith(one) for one in allowed if one):
        message = (
            f"integration {INTEGRATION} allows {listed(allowed)}, not {tables_url}. "
            f"ALTER STORAGE INTEGRATION {INTEGRATION} SET STORAGE_ALLOWED_LOCATIONS = ('{tables_url}')"
        )
        raise ConfigurationError(message, Code.INTEGRATION_DIFFERS)
    return found
