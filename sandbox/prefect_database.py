"""`python -m sandbox.prefect_database`: creates the initial database of the sandbox's Prefect servers."""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.prefect_server import PREFECT_DATABASE, server_environment


def main() -> None:
    """Creates the database in a temporary folder, then moves it: servers that start now may copy it."""
    with TemporaryDirectory(dir=PREFECT_DATABASE.parent) as home:
        environment = server_environment(Path(home))
        os.environ.clear()
        os.environ.update(environment)
        asyncio.run(_create())
        (Path(home) / "prefect.db").replace(PREFECT_DATABASE)


async def _create() -> None:
    """Creates the tables and the known block types, which takes a server seconds at each start."""
    from prefect.server.database import provide_database_interface  # noqa: PLC0415 - reads the environment
    from prefect.server.models.block_registration import run_block_auto_registration  # noqa: PLC0415

    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session)
    await (await database.engine()).dispose()


if __name__ == "__main__":
    main()
