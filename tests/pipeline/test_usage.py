"""What a run uses is counted by that run, in all of its threads, and by no other."""

from pipeline.threads import threads, within
from pipeline.usage import Usage, count_usage, metered, usage_so_far

CALLS = 200


def test_threads_of_a_run_add_up() -> None:
    with metered() as meter, threads() as pool:
        for future in [pool.submit(within, 60, lambda: count_usage(lake_requests=1)) for _ in range(CALLS)]:
            future.result()
        assert meter.usage() == usage_so_far() == Usage(lake_requests=CALLS)


def test_a_run_begins_at_nothing_and_ends_with_its_block() -> None:
    for _ in range(2):
        with metered():
            count_usage(statements=1, spotify_bytes=5)
            count_usage(statements=1)
            assert usage_so_far() == Usage(statements=2, spotify_bytes=5)
    count_usage(statements=1)
    assert usage_so_far() == Usage()
