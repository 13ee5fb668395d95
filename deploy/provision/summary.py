"""The end of `apply`: what was made, what it costs a month, what is left to do."""

from deploy.provision.accounts import Options
from deploy.provision.goal import Goal
from deploy.provision.prefect_objects import pool_type

PRICES_OF = "list prices of us-east-1 in US dollars without taxes, first half of 2026"
FIXED_PRICES = (
    ("Secrets Manager, one secret", 0.40),
    ("ECR, ten images of 0.4 GB at $0.10 a GB", 0.40),
)
"""What is paid each month, whether anything runs or not."""
BY_USE = (
    ("S3", "$0.023 a GB, $0.005 for 1,000 writes"),
    ("Fargate", "$0.049 an hour of a run, with 1 vCPU and 2 GB"),
    ("Snowflake", "$2 to $3 an hour of the warehouse, which is one credit; $23 to $40 a TB"),
    ("CloudWatch", "$0.50 a GB of logs"),
)
COSTS = "docs/operations.md#what-it-costs-a-month"


def apply_summary(goal: Goal, options: Options) -> str:
    """The last lines on the screen, but for preflight."""
    total = sum(price for _, price in FIXED_PRICES)
    lake, stack, pool = f"s3://{goal.bucket}/{goal.folder}", options.stack, options.pool
    lines = [
        f"Made: lake {lake}, Snowflake database SPOTIFY, stack {stack}, work pool {pool}.",
        f"Costs a month: ${total:.2f}, and what is used ({PRICES_OF}; {COSTS}):",
        *(f"  {name}: ${price:.2f}" for name, price in FIXED_PRICES),
        *(f"  {name}: {price}" for name, price in BY_USE),
        "Left to do:",
        *(f"  {number}. {step}" for number, step in enumerate(_left_to_do(goal, options), start=1)),
    ]
    return "\n".join(["", *lines])


def _left_to_do(goal: Goal, options: Options) -> list[str]:
    """Actions that need a person."""
    steps = [
        "python -m blocks authorize: a user's consent, in Spotify's page",
        "make deploy: builds and pushes the image, deploys prefect.yaml",
    ]
    if pool_type() == "ecs":
        steps.append(
            f"prefect worker start --pool {options.pool}: has to stay up, in the role {options.stack}-worker"
        )
    if options.snowpipe and not goal.queue:
        steps.append(
            "python -m flows ingest --load snowpipe --pipe-minutes 1 --no-skip-unchanged: creates the pipes, "
            "fails with PIPES_LATE; then this command again"
        )
    if not options.notify:
        steps.append("make a notification block in Prefect, and this command again with --notify type/name")
    return steps
