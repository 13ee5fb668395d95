"""The sandbox's bucket sends events of new files to the pipes of the Snowflake stand-in."""

import gzip

from sandbox.lake import create_lake
from sandbox.services import BUCKET, Addresses
from tests.places import Place
from tests.sandbox.snowflake.conftest import eventually


def test_pipe_loads_only_snowpipe_files_of_the_lake(addresses: Addresses) -> None:
    place = Place.create(addresses)
    before = place.s3.get_bucket_notification_configuration(Bucket=BUCKET)["QueueConfigurations"]
    create_lake(place.s3, BUCKET, place.addresses.snowflake)  # must be idempotent
    after = place.s3.get_bucket_notification_configuration(Bucket=BUCKET)["QueueConfigurations"]
    assert [each["QueueArn"] for each in before] == [each["QueueArn"] for each in after]
    place.query(
        f"CREATE STAGE lake URL = 's3://{BUCKET}/{place.name}/' STORAGE_INTEGRATION = spotify_lake"
        " FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1)"
    )
    place.query("CREATE TABLE landing (n INT)")
    place.query("CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO landing FROM @lake/tables/")
    assert place.query("SHOW PIPES")[0][6] == after[0]["QueueArn"]
    place.write("tables/a.csv.gz", gzip.compress(b"n\n8\n"))
    place.write("tables/a.snowpipe.csv.gz", gzip.compress(b"n\n7\n"))
    eventually(lambda: place.query("SELECT n FROM landing"), [(7,)])
