#!/bin/sh
# Make the Secret sumok8-secrets: deploy/create-secret.sh [--trial] [NAMESPACE]
#   --trial   for the local overlay: makes a password for its PostgreSQL
# Otherwise DATABASE_URL is read from the environment, and S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY if they are set.
# Values are made here and piped to kubectl: none is an argument of a process, none is written to a file.
# An existing Secret is left alone: a new SECRET_KEY would end every session and link.
set -eu
trial=0
if [ "${1:-}" = --trial ]; then trial=1; shift; fi
namespace=${1:-sumok8}

if kubectl --namespace "$namespace" get secret sumok8-secrets >/dev/null 2>&1; then
    echo "Secret sumok8-secrets exists in namespace $namespace: left as it is."
    exit 0
fi

random() { # letters and digits, 64 of them
    LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | dd bs=64 count=1 iflag=fullblock 2>/dev/null
}
entry() { # key, value; base64 on one line
    printf '  %s: %s\n' "$1" "$(printf %s "$2" | base64 | tr -d '\n')"
}

if [ "$trial" = 1 ]; then
    password=$(random)
    DATABASE_URL=postgresql://sumok8:$password@sumok8-postgres:5432/sumok8
elif [ -z "${DATABASE_URL:-}" ]; then
    echo "Set DATABASE_URL (postgresql://user:password@host:5432/database), or use --trial with the local overlay." >&2
    exit 1
fi

kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace"
{
    printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: sumok8-secrets\n  namespace: %s\n' "$namespace"
    printf '  labels:\n    app.kubernetes.io/part-of: sumok8\ntype: Opaque\ndata:\n'
    entry DATABASE_URL "$DATABASE_URL"
    entry SECRET_KEY "$(random)"
    entry JOB_TOKEN_KEYS "$(random)"
    if [ "$trial" = 1 ]; then entry POSTGRES_PASSWORD "$password"; fi
    if [ -n "${S3_ACCESS_KEY_ID:-}" ]; then entry S3_ACCESS_KEY_ID "$S3_ACCESS_KEY_ID"; fi
    if [ -n "${S3_SECRET_ACCESS_KEY:-}" ]; then entry S3_SECRET_ACCESS_KEY "$S3_SECRET_ACCESS_KEY"; fi
} | kubectl create -f -
