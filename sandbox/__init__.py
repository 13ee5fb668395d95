"""Stand-ins for Spotify, S3 and Snowflake: real servers on loopback, shared by demo and tests.

spotify/  snowflake/  s3.py             the stand-ins, each a process: `python -m sandbox.spotify` …
serving.py  processes.py                a stand-in serves an app; a process is started, waited for and stopped
services.py  prefect_server.py          all stand-ins and a Prefect server, with the blocks' environment
deployments.py  welcome.py              `make sandbox`: prefect.yaml with a worker; what is printed at the end
account_objects.py  lake.py  history.py  set-up: the Snowflake account, the bucket, a month of kept snapshots
"""
