"""Words of messages."""

from collections import Counter

from flows.warehouse.words import differing, listed, phrase


def test_ten_are_listed_and_a_sign_stands_for_more() -> None:
    names = [f"file {number}" for number in range(11)]
    assert listed(names[:10]) == ", ".join(names[:10])
    assert listed(names) == ", ".join(names[:10]) + " …"


def test_what_is_missing_on_one_side_differs() -> None:
    counted, wanted = Counter(same=1, more=3, foreign=2), Counter(same=1, more=2, missing=4)
    assert differing(counted, wanted) == ["more", "missing", "foreign"]


def test_a_phrase_has_no_end_of_its_own() -> None:
    assert phrase("No such stage.\n") == "No such stage"
