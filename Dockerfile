# One stage installs the pinned dependencies and the wheel into /venv, the next has nothing but that; it needs no root
# and no writable file system besides /data and a temporary folder.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --requirement requirements.lock
COPY . .
RUN /venv/bin/pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data harvester \
 && install --directory --owner harvester --mode 0750 /data
COPY --from=build /venv /venv
USER 10001
WORKDIR /data
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HARVESTER_DATA=/data HARVESTER_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
# The API answers for itself; `harvester ready` answers for processes that serve nothing (compose.yaml).
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('HARVESTER_PORT', '8000')}/health/ready\", timeout=4)"]
ENTRYPOINT ["harvester"]
CMD ["up"]
