"""Stand-ins for Spotify, S3 and Snowflake: servers on loopback for `make demo`, `make sandbox` and tests.

spotify/  snowflake/  s3.py              the stand-ins, each a process: `python -m sandbox.spotify` …
serving.py  processes.py                 runs an ASGI app as a server; starts and stops server processes
services.py  prefect_server.py           starts all stand-ins and a Prefect server, and registers the blocks
deployments.py  welcome.py               `make sandbox`: deployments and worker; text printed when it is ready
account_objects.py  lake.py  history.py  set-up of the Snowflake account, the bucket, a month of snapshots

Deviations from the services are listed in spotify/__init__.py, s3.py and snowflake/DEVIATIONS.md.
"""
