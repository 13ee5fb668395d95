"""Markdown: small tables are aligned, and external text never becomes markup."""

import re

import pytest
from markdown_it import MarkdownIt

from pipeline.markdown import Markup, as_text, fitting, markdown_table, shortened

RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")
LINKED_BY_GITHUB = re.compile(r"www\.|://|@|<|mailto:")
"""Text that GitHub's Markdown turns into links without brackets, or reads as HTML."""

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://example.com/pixel.png)",
    "https://example.com/",
    "www.example.com",
    "somebody@example.com",
    "<https://example.com/>",
    "<!-- the rest is gone",
    "`<b>`",
    "``<b>`` and `<i>`",
    "`",
    "```\n<b>\n```",
    "ends with `",
    "a | <b> | c",
    r"a \| <b>",
    r"a \\| <b>",
    r"ends with \ ",
    "|",
    "line\r\n<b>\u2028<i>\x85# heading",
    "\x00<script>",
    "\u202egnp.exe",
    "\ud800",
    "_emphasis_ **bold** ~~gone~~",
    "&lt;b&gt;",
    "malformed: release_date '<a href=//example.com>[x](javascript:1)|`' - at `$.album.release_date`",
]


def tokens(markdown: str) -> list[tuple[str, str]]:
    """Returns (type, content) of each inline token of a CommonMark renderer, soft line breaks left out."""
    blocks = RENDERER.parse(markdown)
    return [
        (one.type, one.content) for block in blocks for one in block.children or () if one.type != "softbreak"
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_one_code_span(text: str) -> None:
    ((kind, content),) = tokens(f"before {as_text(text)} after")[1:-1]
    assert kind == "code_inline"
    assert content.isprintable()
    assert all(word in content for word in re.findall(r"[a-z]{3,}", text))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_within_its_cell(text: str) -> None:
    table = markdown_table([{"a": text, "b": 1}, {"a": Markup(f"1 {as_text(text)}"), "b": 2}])
    assert len(table.splitlines()) == 4
    found = tokens(table)
    assert {kind for kind, _ in found} == {"text", "code_inline"}
    assert [content for kind, content in found if kind == "text"] == ["a", "b", "1", "1 ", "2"]
    assert not any(LINKED_BY_GITHUB.search(content) for kind, content in found if kind == "text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null_item",
        "Don't Lend Abeni by Ferry",
        "Für Elise (1810): no. 25, by ear?",
        '"Ferry" & Badger / Dumpling!',
        "2026-11-21",
        "1.25",
    ],
)
def test_plain_text_is_not_changed(text: str) -> None:
    assert as_text(text) == text
    assert LINKED_BY_GITHUB.search(text) is None


def test_line_breaks_become_spaces_and_control_characters_are_escaped() -> None:
    assert as_text("a\r\nb\u2029c") == "a b c"
    assert as_text("\u202ea\x00b\ud800") == r"`\u202ea\x00b\ud800`"


def test_columns_of_a_small_table_are_aligned() -> None:
    assert markdown_table([{"a": 1, "long name": None}, {"a": "text", "long name": 2.5}]) == (
        "| a    | long name |\n"
        "|------|-----------|\n"
        "| 1    |           |\n"
        "| text | 2.5       |"
    )  # fmt: skip


def test_a_large_table_is_not_padded() -> None:
    rows = [{"a": "x" * 500 if number == 7 else "x", "b": number} for number in range(100)]
    assert len(markdown_table(rows)) < 2_000
    assert len(tokens(markdown_table(rows))) == 202


def test_rows_beyond_the_limit_are_counted() -> None:
    rows = [{"a": "x" * 10}] * 5
    assert markdown_table(rows, limit=40, elsewhere=": see there").endswith(
        "| xxxxxxxxxx |\n| xxxxxxxxxx |\n\n3 more rows are not shown: see there"
    )
    assert markdown_table(rows, limit=1) == "(no rows)\n\n5 more rows are not shown"
    assert markdown_table([]) == "(no rows)"


def test_fitting_stops_at_the_first_row_that_does_not_fit() -> None:
    assert fitting(["aa", "bbbbbb", "c"], len, 5) == (["aa"], 2)


def test_a_shortened_text_keeps_its_end() -> None:
    assert shortened("a" * 100 + " [CODE]", 40) == "a" * 27 + " … " + "aaa [CODE]"
    assert shortened("short", 40) == "short"
