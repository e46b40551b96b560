# The hub, as a user without rights. Servers by URL (compose.yaml), or its own in /var/lib/crossdock.

FROM python:3.11-slim AS build
WORKDIR /source
RUN python -m venv /opt/crossdock
# What seldom changes first: a change of code installs no dependency anew.
COPY pyproject.toml README.md LICENSE ./
RUN /opt/crossdock/bin/python -c "import tomllib; \
    print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    > /tmp/requirements.txt \
 && /opt/crossdock/bin/pip install --no-cache-dir --requirement /tmp/requirements.txt
COPY . .
RUN /opt/crossdock/bin/pip install --no-cache-dir --no-deps .

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
