# The controller: web and reconciler from one image; the command decides which.
# Pin the base by digest: --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# For builds where only a mirror of PyPI is reachable.
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.lock /tmp/
# Wheels only: no compiler is needed, so none can be left behind.
RUN pip install --only-binary :all: -r /tmp/requirements.lock && pip uninstall --yes pip setuptools
COPY . /app
WORKDIR /app
# Settings want these three; collecting static files uses none of them, and the values end with this step.
RUN DATABASE_URL=postgresql://build SECRET_KEY=build JOB_TOKEN_KEYS=build python manage.py collectstatic --noinput
# The root file system is read-only at run time, so byte code is made now. Another user runs it: he must be able to read
# all of it, whatever the modes in the checkout and of collected files.
RUN python -m compileall -q /app && chmod -R a+rX /app

FROM ${PYTHON_IMAGE}
# What stands in front of gunicorn (sumok8/nginx.conf); Debian's, so that it gets Debian's security updates.
RUN apt-get update && apt-get install --yes --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    BIND=0.0.0.0:8000 \
    PROBE_BIND=0.0.0.0:8001 \
    LOG_FORMAT=json \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
# A number, so that Kubernetes can prove runAsNonRoot.
USER 10001:10001
EXPOSE 8000 8001
# For engines that look at it; Kubernetes uses the probes of the manifests.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8001/healthz', timeout=4)"]
CMD ["python", "-m", "sumok8.web"]
