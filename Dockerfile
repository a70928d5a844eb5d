# Two stages: the first installs the hash-pinned lock, the second has no compiler, no pip cache and no root.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.lock .
RUN python -m venv /app/.venv \
 && /app/.venv/bin/pip install --require-hashes --only-binary :all: -r requirements.lock \
 && /app/.venv/bin/python -m compileall -q /app/.venv/lib

FROM python:3.13-slim
# The image service's client trusts the system's certificates, not a bundle of its own.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin easel \
 && mkdir -p /app/data && chown easel /app/data
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
COPY bot bot
COPY cogs cogs
COPY sandbox sandbox
COPY LICENSE README.md pyproject.toml ./
RUN python -m compileall -q --invalidation-mode unchecked-hash bot cogs sandbox
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json
USER easel
VOLUME /app/data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 CMD ["python", "-m", "bot", "healthcheck"]
ENTRYPOINT ["tini", "--", "python", "-m", "bot"]
CMD ["run"]
