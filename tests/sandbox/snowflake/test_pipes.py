"""Pipes: from a file in the bucket to rows, without anybody asking."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., list[tuple[Any, ...]]]
Put = Callable[[str, str], None]

PIPE = """
CREATE OR REPLACE PIPE songs_pipe AUTO_INGEST = TRUE AS
COPY INTO songs_landing (n, note, file_name, file_row)
FROM (SELECT $1, $2, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM @lake/tables/songs/)
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')
PATTERN = '.*[.]snowpipe[.]csv[.]gz'
"""
LANDING = """
CREATE OR REPLACE TRANSIENT TABLE songs_landing
(n NUMBER(38, 0) NOT NULL, note VARCHAR, file_name VARCHAR NOT NULL, file_row NUMBER(38, 0) NOT NULL)
"""
HISTORY = """
SELECT file_name, status, row_count, row_parsed, first_error_message, first_error_line_number, error_count,
       pipe_name
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(
    TABLE_NAME => 'songs_landing', START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP())))
ORDER BY file_name
"""


def eventually(ask: Callable[[], Any], wanted: Any) -> None:  # noqa: ANN401
    """Ask until the answer is the one wanted."""
    deadline = time.monotonic() + 15
    while (found := ask()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def test_a_file_that_is_put_becomes_rows(run: Run, put: Put, wired: None) -> None:
    run(LANDING)
    assert run(PIPE) == [("Pipe SONGS_PIPE successfully created.",)]
    put("tables/songs/dt=2026-11-20/a b.snowpipe.csv.gz", "n,note\n1,x\n2,\n")
    key = "tables/songs/dt=2026-11-20/a b.snowpipe.csv.gz"
    eventually(lambda: run("SELECT * FROM songs_landing ORDER BY n"), [(1, "x", key, 1), (2, None, key, 2)])
    assert run(HISTORY) == [(key, "Loaded", 2, 2, None, None, 0, "SONGS_PIPE")]
    status = json.loads(run("SELECT SYSTEM$PIPE_STATUS('songs_pipe')")[0][0])
    print(status)
    print(run("SHOW PIPES"))
    print(
        run(
            "SELECT SYSTEM$PIPE_STATUS(?) AS a, SYSTEM$PIPE_STATUS('music.lists.songs_pipe') AS b, ? as c",
            "songs_pipe",
            3,
        )
    )
