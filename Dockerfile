# Builds the wheel in one stage, installs it with the pinned dependencies in the next; runs without root.
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --root-user-action=ignore hatchling \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.13-slim
COPY requirements.lock /tmp/requirements.lock
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --root-user-action=ignore --requirement /tmp/requirements.lock \
 && pip install --no-cache-dir --root-user-action=ignore --no-deps /wheels/*.whl \
 && rm -rf /wheels /tmp/requirements.lock \
 && useradd --system --uid 10001 --create-home --home-dir /data harvester
USER harvester
WORKDIR /data
ENV HARVESTER_DATA=/data HARVESTER_HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["harvester"]
CMD ["up"]
