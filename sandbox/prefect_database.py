"""`python -m sandbox.prefect_database`: the empty database that Prefect servers of the sandbox start with."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.prefect_server import PREFECT_DATABASE, server_environment


def main() -> None:
    """Writes the file in one step, because servers may be starting."""
    with TemporaryDirectory(dir=PREFECT_DATABASE.parent) as home:
        command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
        subprocess.run(
            command, cwd=home, env=server_environment(Path(home)), check=True, stdout=subprocess.DEVNULL
        )
        (Path(home) / "prefect.db").replace(PREFECT_DATABASE)


if __name__ == "__main__":
    main()
