"""Summary at the end of `apply`: created objects, monthly costs, remaining steps."""

from blocks.spotify import SpotifyCredentials
from blocks.stored import find
from deploy.provision.accounts import Options
from deploy.provision.goal import Goal
from deploy.provision.prefect_objects import pool_type

PRICE_SOURCE = "list prices of us-east-1 in US dollars without taxes, first half of 2026"
FIXED_USD_PER_MONTH = (
    ("Secrets Manager, one secret", 0.40),
    ("ECR, ten images of 0.4 GB at $0.10 a GB", 0.40),
)
"""Costs of each month, independent of use."""
USAGE_PRICES = (
    ("S3", "$0.023 a GB, $0.005 for 1,000 writes"),
    ("Fargate", "$0.049 for each hour of a run, with 1 vCPU and 2 GB"),
    ("Snowflake", "$2 to $3 for each hour (one credit) of the warehouse; $23 to $40 a TB of storage"),
    ("CloudWatch", "$0.50 a GB of logs"),
)
COSTS_PAGE = "docs/operations.md#what-it-costs-a-month"


def apply_summary(goal: Goal, options: Options) -> str:
    """What was created and what it costs, for the lines before the final preflight."""
    total = sum(price for _, price in FIXED_USD_PER_MONTH)
    lake, stack, pool = f"s3://{goal.bucket}/{goal.folder}", options.stack, options.pool
    lines = [
        f"Created: lake {lake}, Snowflake database SPOTIFY, stack {stack}, work pool {pool}.",
        f"Costs a month: ${total:.2f} fixed, plus usage ({PRICE_SOURCE}; {COSTS_PAGE}):",
        *(f"  {name}: ${price:.2f}" for name, price in FIXED_USD_PER_MONTH),
        *(f"  {name}: {price}" for name, price in USAGE_PRICES),
    ]
    return "\n".join(["", *lines])


def steps_left(goal: Goal, options: Options) -> str:
    """Steps that `apply` cannot do, for the lines after the final preflight."""
    steps = enumerate(_steps(goal, options), start=1)
    return "\n".join(["", "Left to do:", *(f"  {number}. {step}" for number, step in steps)])


def _steps(goal: Goal, options: Options) -> list[str]:
    steps = []
    if not _has_consent():
        steps.append("python -m blocks authorize: a user gives consent on Spotify's page")
    # Also after the first time: this checkout may be a new release.
    steps.append("make deploy: builds and pushes the image, deploys prefect.yaml")
    if pool_type() == "ecs":
        steps.append(
            f"prefect worker start --pool {options.pool}: must stay up, with the role {options.stack}-worker"
        )
    if options.snowpipe and not goal.queue:
        steps.append(
            "python -m flows ingest --load snowpipe --pipe-minutes 1 --no-skip-unchanged: creates the pipes "
            "and fails with PIPES_LATE; then run this command again"
        )
    if not options.notify:
        steps.append(
            "create a notification block in Prefect, then python -m deploy automations --notify TYPE/NAME "
            "(not needed if the automations exist)"
        )
    return steps


def _has_consent() -> bool:
    stored = find(SpotifyCredentials, "spotify")
    return stored is not None and stored.refresh_token is not None
