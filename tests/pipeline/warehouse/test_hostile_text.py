"""Whatever a text holds: what comes out of the warehouse is what went in, or a reject with its reason."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.builders import DAY
from tests.hostile_texts import TEXTS, Landed, check, hostile_snapshot, read_landed
from tests.warehouses import Warehouse

REFUSED = list(TEXTS)[-6:]


def _round_trip(warehouse: Warehouse, texts: list[str]) -> list[Landed]:
    """Loads a playlist for each text, all at once, in place of everything before; returns what landed."""
    run_id = warehouse.new_run_id()
    snapshots = [hostile_snapshot(number, text) for number, text in enumerate(texts)]
    warehouse.load(run_id, warehouse.write_snapshots(run_id, {DAY: snapshots}), refresh="full")
    return read_landed(warehouse.place.query, run_id, snapshots)


@pytest.fixture
def once(warehouse: Warehouse) -> dict[str, Landed]:
    return dict(zip(TEXTS, _round_trip(warehouse, list(TEXTS.values())), strict=True))


@pytest.mark.faults
def test_hostile_texts_come_out_as_they_went_in_or_are_rejected(once: dict[str, Landed]) -> None:
    for name, text in TEXTS.items():
        check(text, once[name])
    assert [name for name, landed in once.items() if landed.rejects] == REFUSED


any_text = st.text(st.characters(exclude_categories=()), max_size=12)  # NUL and lone surrogates too
hostile = st.builds("".join, st.lists(st.sampled_from([*"\"\\\n\r,'", "\0", r"\N", "\ufeff", "a", "\ud83d"])))


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink a failure would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(any_text | hostile, min_size=30, max_size=60))
def test_any_text_comes_out_as_it_went_in_or_is_rejected(warehouse: Warehouse, texts: list[str]) -> None:
    for text, landed in zip(texts, _round_trip(warehouse, texts), strict=True):
        check(text, landed)
