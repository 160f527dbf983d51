ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS wheel
WORKDIR /source
COPY requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY app app
COPY connectors connectors
COPY drills drills
COPY sandbox sandbox
COPY workers workers
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:${PYTHON}-slim-bookworm AS environment
RUN python -m venv /opt/recent-sync
COPY requirements-prod.lock ./
RUN /opt/recent-sync/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
    -r requirements-prod.lock
COPY --from=wheel /wheels /wheels
RUN /opt/recent-sync/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
    && /opt/recent-sync/bin/python -m compileall -q /opt/recent-sync/lib \
    && /opt/recent-sync/bin/pip uninstall --yes pip

FROM python:${PYTHON}-slim-bookworm
RUN useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin recent-sync
COPY --from=environment /opt/recent-sync /opt/recent-sync
ENV PATH=/opt/recent-sync/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/recent-sync
EXPOSE 8400
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as http; http.urlopen('http://127.0.0.1:8400/healthz', timeout=3)"]
ENTRYPOINT ["recent-sync"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8400"]
