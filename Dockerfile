# Image of the flow runs: without sandbox, tests and development dependencies.
# For ECS: docker build --platform linux/amd64 .
FROM python:3.11-slim-bookworm

# SERVER_EPHEMERAL: without PREFECT_API_URL, a run fails immediately instead of starting a temporary server.
# SIGTERM: if ECS stops a container, its run is rescheduled.
ENV PREFECT_SERVER_EPHEMERAL_ENABLED=false \
    PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR=reschedule \
    DO_NOT_TRACK=1 \
    PYTHONUNBUFFERED=1

COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /tmp/requirements.txt

# `code_version` in receipts and in the ledger: see docs/operations.md.
ARG PIPELINE_VERSION=""
ENV PIPELINE_VERSION=$PIPELINE_VERSION

WORKDIR /opt/pipeline
COPY flows flows
COPY pipeline pipeline
COPY blocks blocks
COPY sql sql
RUN python -m compileall -q flows pipeline blocks && useradd --create-home pipeline
USER pipeline

CMD ["prefect", "flow-run", "execute"]
