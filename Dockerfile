# Millrace's own processes: `python -m streams ...`, or with another entry point `python -m sinks ...`.
FROM python:3.11-slim AS packages
WORKDIR /build
COPY requirements/runtime.txt requirements.txt
# Wheels only and every hash checked: nothing is compiled, and nothing comes that was not pinned.
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary=:all: --require-hashes --requirement requirements.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /srv/millrace millrace \
 && install --directory --owner=millrace /srv/millrace/blob /srv/millrace/targets
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/millrace
COPY --from=packages /opt/venv /opt/venv
COPY schemas schemas
COPY streams streams
COPY sinks sinks
COPY connectors connectors
USER millrace
ENTRYPOINT ["python", "-m", "streams"]
CMD ["--help"]
