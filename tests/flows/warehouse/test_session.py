"""What a session is set to, whatever account and user have set."""

from tests.warehouses import Warehouse


def test_a_session_is_set_as_loads_need_it(warehouse: Warehouse) -> None:
    with warehouse.session("the-run") as session:
        found = session._connection._session_parameters  # noqa: SLF001 - what was sent at login
    assert (
        found.items()
        >= {
            "LOCK_TIMEOUT": 15,
            "ABORT_DETACHED_QUERY": True,
            "AUTOCOMMIT": True,
            "DATE_INPUT_FORMAT": "AUTO",
            "TIMESTAMP_INPUT_FORMAT": "AUTO",
            "QUERY_TAG": "spotify-playlist-pipeline the-run",
        }.items()
    )
