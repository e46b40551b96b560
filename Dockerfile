# The hub, as a user without rights. Servers by URL (compose.yaml), or its own in /var/lib/crossdock.

FROM python:3.11-slim AS build
WORKDIR /source
RUN python -m venv /opt/crossdock && python -m venv /opt/build
# What seldom changes first: a change of code installs no dependency anew. Each file by its hash.
COPY requirements requirements
RUN /opt/crossdock/bin/pip install --no-cache-dir --require-hashes --requirement requirements/run.txt \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && /opt/crossdock/bin/pip install --no-cache-dir --no-deps --no-index /tmp/wheel/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/crossdock crossdock
COPY --from=build /opt/crossdock /opt/crossdock
ENV PATH=/opt/crossdock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CROSSDOCK_CONFIG=/etc/crossdock/site.yaml \
    CROSSDOCK_DATA_DIR=/var/lib/crossdock/data \
    CROSSDOCK_HTTP__HOST=0.0.0.0 \
    CROSSDOCK_HTTP__PORT=8080
USER crossdock
WORKDIR /var/lib/crossdock
VOLUME /var/lib/crossdock
EXPOSE 8080
# `ready` is more than `alive`: the ledger and the streams answer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["crossdock"]
CMD ["run"]
