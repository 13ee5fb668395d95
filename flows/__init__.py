"""What Prefect runs: flows, their tasks, and what connects them to a run."""
