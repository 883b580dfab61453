# firedamp in one image: `docker build -t firedamp .`
#
# Pin the base by digest for builds that must not move:
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:… .
# Any Debian with Python 3.11 serves as a base, also one without venv: what is missing is installed. The file
# needs nothing of BuildKit.
ARG BASE=python:3.11-slim-bookworm

# ── build: a virtual environment with exactly what the lock names, and firedamp itself ──
# hadolint ignore=DL3006
FROM ${BASE} AS build

# Versions of Debian's packages come with the pinned base.
# hadolint ignore=DL3008
RUN python3 -c 'import ensurepip, venv' 2>/dev/null \
    || { apt-get update \
         && apt-get install -y --no-install-recommends python3 python3-venv \
         && rm -rf /var/lib/apt/lists/*; }

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

WORKDIR /build
COPY requirements.lock requirements-dev.lock ./
# The build's own tools, cut out of the lock for development, then what runs: every file's hash is checked.
RUN awk '/^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ {on=1} on {print} !/\\$/ {on=0}' \
        requirements-dev.lock > build.lock \
    && python3 -m venv /build/tools \
    && /build/tools/bin/pip install --no-deps --only-binary :all: --require-hashes -r build.lock \
    && python3 -m venv /opt/firedamp \
    && /opt/firedamp/bin/pip install --no-deps --only-binary :all: --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY plugin plugin
RUN /build/tools/bin/hatchling build -t wheel -d /build/dist \
    && /opt/firedamp/bin/pip install --no-deps --no-index /build/dist/firedamp-*.whl \
    && /opt/firedamp/bin/pip check \
    && /opt/firedamp/bin/pip uninstall -y pip setuptools

# ── run: the environment, an unprivileged user, one writable folder ──
# hadolint ignore=DL3006
FROM ${BASE}

LABEL org.opencontainers.image.title="firedamp" \
      org.opencontainers.image.description="The judge of canary releases" \
      org.opencontainers.image.licenses="Apache-2.0"

# hadolint ignore=DL3008
RUN { command -v python3 >/dev/null \
      || { apt-get update \
           && apt-get install -y --no-install-recommends python3 \
           && rm -rf /var/lib/apt/lists/*; }; } \
    && install -d -o 10001 -g 10001 /data \
    && install -d /etc/firedamp \
    && echo "# Mount your settings here." > /etc/firedamp/firedamp.yaml

COPY --from=build /opt/firedamp /opt/firedamp

# Containers have an address of their own; outside of one firedamp listens on loopback. FIREDAMP_CONFIG is for
# commands run beside the server: docker exec … firedamp token list
ENV PATH=/opt/firedamp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FIREDAMP_CONFIG=/etc/firedamp/firedamp.yaml \
    FIREDAMP_LISTEN__HOST=0.0.0.0 \
    FIREDAMP_LISTEN__PORT=8080 \
    FIREDAMP_STORE__URL=sqlite:////data/firedamp.db

WORKDIR /data
VOLUME /data
EXPOSE 8080
USER 10001:10001

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as http; http.urlopen('http://127.0.0.1:' + os.environ['FIREDAMP_LISTEN__PORT'] + '/livez', timeout=4)"]

ENTRYPOINT ["firedamp"]
CMD ["serve", "--config", "/etc/firedamp/firedamp.yaml"]
