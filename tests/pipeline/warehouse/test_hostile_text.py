"""Hostile texts: the warehouse returns them unchanged, or their entry is a reject with a reason."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.builders import DAY
from tests.hostile_texts import TEXTS, Landed, check, hostile_snapshot, read_landed
from tests.warehouses import Warehouse

REFUSED = list(TEXTS)[-6:]


def _round_trip(warehouse: Warehouse, texts: list[str]) -> list[Landed]:
    """Loads one playlist per text with a full refresh; returns the loaded values."""
    run_id = warehouse.new_run_id()
    snapshots = [hostile_snapshot(number, text) for number, text in enumerate(texts)]
    warehouse.load(run_id, warehouse.write_snapshots(run_id, {DAY: snapshots}), refresh="full")
    return read_landed(warehouse.place.query, run_id, snapshots)


@pytest.fixture
def loaded(warehouse: Warehouse) -> dict[str, Landed]:
    return dict(zip(TEXTS, _round_trip(warehouse, list(TEXTS.values())), strict=True))


@pytest.mark.faults
def test_hostile_texts_are_stored_unchanged_or_rejected(loaded: dict[str, Landed]) -> None:
    for name, text in TEXTS.items():
        check(text, loaded[name])
    assert [name for name, landed in loaded.items() if landed.rejects] == REFUSED


any_text = st.text(st.characters(exclude_categories=()), max_size=12)  # NUL and lone surrogates too
hostile = st.builds("".join, st.lists(st.sampled_from([*"\"\\\n\r,'", "\0", r"\N", "\ufeff", "a", "\ud83d"])))


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking a failure would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(any_text | hostile, min_size=30, max_size=60))
def test_any_text_is_stored_unchanged_or_rejected(warehouse: Warehouse, texts: list[str]) -> None:
    for text, landed in zip(texts, _round_trip(warehouse, texts), strict=True):
        check(text, landed)
