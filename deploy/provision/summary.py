"""The end of `apply`: what was made, what it costs a month, what is left to do."""

from deploy.provision.prefect_objects import pool_type
from deploy.provision.target import Target

PRICES_OF = "list prices of us-east-1 in US dollars, without taxes, first half of 2026"
FIXED_PRICES = (
    ("Secrets Manager, one secret", 0.40),
    ("ECR, ten images of 0.4 GB at $0.10 a GB", 0.40),
)
"""What is paid a month whether anything runs or not."""
BY_USE = (
    ("S3", "$0.023 a GB stored, $0.005 for 1,000 writes"),
    ("Fargate", "$0.049 an hour of a run, 1 vCPU and 2 GB"),
    ("Snowflake", "$2 to $3 a credit; one hour of the warehouse is one credit"),
    ("CloudWatch", "$0.50 a GB of logs"),
)
WORKER = (
    "start a worker, which has to stay up, with the role of the stack's output WorkerRoleArn: "
    ".venv/bin/prefect worker start --pool POOL (docs/operations.md)"
)


def summary(target: Target) -> str:
    """The last lines on the screen."""
    total = sum(price for _, price in FIXED_PRICES)
    lake = f"s3://{target.bucket}/{target.folder}"
    return "\n".join(
        [
            "",
            f"made: lake {lake}; Snowflake database SPOTIFY with its roles; Prefect blocks and work pool",
            f"a month: ${total:.2f} fixed, and what is used ({PRICES_OF}):",
            *(f"  {name}: ${price:.2f}" for name, price in FIXED_PRICES),
            *(f"  {name}: {price}" for name, price in BY_USE),
            "left to do:",
            *(f"  {number}. {step}" for number, step in enumerate(left_to_do(), start=1)),
        ]
    )


def left_to_do() -> list[str]:
    """Actions that need a person."""
    steps = [
        "python -m blocks authorize   (a user's consent in Spotify's page)",
        "make deploy                  (builds and pushes the image, deploys prefect.yaml)",
    ]
    return steps if pool_type() == "ecs:push" else [*steps, WORKER]
