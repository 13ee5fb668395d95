"""Usage counters: summed over the threads of a run, separate for each run."""

from pipeline.threads import threads, within
from pipeline.usage import Usage, count_usage, metered, usage_so_far

CALLS = 200


def test_usage_is_summed_over_the_threads_of_a_run() -> None:
    with metered() as meter, threads() as pool:
        for future in [pool.submit(within, 60, lambda: count_usage(lake_requests=1)) for _ in range(CALLS)]:
            future.result()
        assert meter.usage() == usage_so_far() == Usage(lake_requests=CALLS)


def test_usage_starts_at_zero_for_each_run_and_is_not_counted_outside_one() -> None:
    for _ in range(2):
        with metered():
            count_usage(statements=1, spotify_bytes=5)
            count_usage(statements=1)
            assert usage_so_far() == Usage(statements=2, spotify_bytes=5)
    count_usage(statements=1)
    assert usage_so_far() == Usage()
