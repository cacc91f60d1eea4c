#!/bin/sh
# Build and tag both images. Environment:
#   ENGINE        docker, podman or buildah (default: the first that is installed)
#   REPOSITORY    prefix of the tags, such as a registry and project (default: none)
#   PYTHON_IMAGE  base of both, best with its digest (default: python:3.11-slim-bookworm)
#   PIP_INDEX_URL mirror of PyPI (default: PyPI)
#   SUMO_VERSION  version of eclipse-sumo in the runner (default: 1.28.0)
#   PUSH          1 pushes what was built
set -eu
cd "$(dirname "$0")/.."
PYTHON_IMAGE=${PYTHON_IMAGE:-python:3.11-slim-bookworm}
SUMO_VERSION=${SUMO_VERSION:-1.28.0}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
prefix=${REPOSITORY:+${REPOSITORY%/}/}

if [ -z "${ENGINE:-}" ]; then
    for ENGINE in docker podman buildah none; do
        command -v "$ENGINE" >/dev/null 2>&1 && break
    done
fi
case $ENGINE in
    none) echo "Install docker, podman or buildah first." >&2; exit 1 ;;
    docker) ;;
    # The OCI format has no HEALTHCHECK.
    *) format="--format docker" ;;
esac

build() { # tag, dockerfile, further arguments
    tag=$1 dockerfile=$2
    shift 2
    # shellcheck disable=SC2086 # format is empty or two words
    "$ENGINE" build ${format:-} --file "$dockerfile" --tag "$tag" --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE" \
        ${PIP_INDEX_URL:+--build-arg "PIP_INDEX_URL=$PIP_INDEX_URL"} "$@" .
    if [ "${PUSH:-0}" = 1 ]; then "$ENGINE" push "$tag"; fi
    built="${built:-}$tag
"
}

build "${prefix}sumok8-controller:$version" Dockerfile
build "${prefix}sumok8-runner:$version-sumo$SUMO_VERSION" deploy/runner/Dockerfile --build-arg "SUMO_VERSION=$SUMO_VERSION"
printf 'Built:\n%s' "$built"
