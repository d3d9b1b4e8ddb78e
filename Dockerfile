# One recipe for all services:  docker build --build-arg SERVICE=sentiment-service -t castor/sentiment-service .
#
# Dependencies come from the lock and change seldom, so they are a layer of their own; the code follows as another.
# Behind a proxy that signs with its own authority: --secret id=ca,src=corporate-ca.pem (all authorities that are needed).
# Another package index: --build-arg PIP_INDEX_URL=https://..., and --secret id=netrc,src=FILE if it asks for a password.
# The image holds no compiler, no uv and no pip of ours, runs as 10001, and writes to /tmp only.

ARG PYTHON=docker.io/library/python:3.11-slim-bookworm
ARG PYTHON_DIGEST=sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${PYTHON}@${PYTHON_DIGEST} AS base
ENV PATH=/app/.venv/bin:$PATH
WORKDIR /app

FROM base AS deps
ARG SERVICE
ARG PIP_INDEX_URL=https://pypi.org/simple
ENV UV_COMPILE_BYTECODE=1 \
    UV_DEFAULT_INDEX=${PIP_INDEX_URL} \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
RUN --mount=type=secret,id=ca --mount=type=secret,id=netrc,target=/root/.netrc \
    if [ -f /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi && \
    pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
COPY pyproject.toml uv.lock ./
COPY chassis/pyproject.toml chassis/
COPY ${SERVICE}/pyproject.toml ${SERVICE}/
COPY tools/slim.py tools/
# The lock names files of the public index; its versions and hashes hold for the same files of any other.
# What no running service reads is a third of them. Every interpreter finds the code, whatever its environment: the
# processes that read untrusted files are started without one.
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca --mount=type=secret,id=netrc,target=/root/.netrc \
    if [ -f /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi && \
    python tools/slim.py run ${SERVICE}/pyproject.toml --no-emit-package \
    uv export --quiet --frozen --no-dev --no-emit-workspace --package castor-${SERVICE} --output-file requirements.txt && \
    uv venv && \
    uv pip install --require-hashes --no-deps --requirement requirements.txt && \
    python tools/slim.py environment .venv/lib/python3.11/site-packages && \
    echo /app/code > .venv/lib/python3.11/site-packages/castor.pth

FROM deps AS code
ARG SERVICE
COPY chassis chassis
COPY ${SERVICE} ${SERVICE}
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca --mount=type=secret,id=netrc,target=/root/.netrc \
    if [ -f /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi && \
    python tools/slim.py run ${SERVICE}/pyproject.toml --no-install-package \
    uv sync --frozen --no-dev --no-editable --package castor-${SERVICE}
# Apart from the dependencies, so that a change of the code is a layer of a few megabytes.
# An exec form knows no build arguments; this is the command that every image has.
RUN mkdir code && \
    mv .venv/lib/python3.11/site-packages/castor_* ".venv/lib/python3.11/site-packages/${SERVICE%-service}_service" code/ && \
    printf '#!/app/.venv/bin/python\nimport runpy\nrunpy.run_module("%s", run_name="__main__", alter_sys=True)\n' \
    "${SERVICE%-service}_service" > code/service && chmod 755 code/service

FROM base AS runtime
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=https://github.com/castor/castor
LABEL org.opencontainers.image.title="${SERVICE}" \
      org.opencontainers.image.description="CASTOR ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"
# One thread per process for numeric libraries: replicas share the cores. Caches go where one may write.
ENV API_HOST=0.0.0.0 \
    MANAGEMENT_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TZ=UTC \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
COPY --from=deps /app/.venv /app/.venv
COPY --from=code /app/code /app/code
USER 10001:10001
EXPOSE 8443 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('MANAGEMENT_PORT', '9090')}/health/ready\", timeout=2)"]
ENTRYPOINT ["/app/code/service"]
CMD ["serve"]
