#!/bin/sh
# The first start makes the cluster: superuser postgres with POSTGRES_PASSWORD, database POSTGRES_DB.
# Inside the container nobody is asked for a password, as in the official image.
set -e
if [ "$1" != postgres ]; then exec "$@"; fi
if [ "$(id -u)" = 0 ]; then
    chown postgres: "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    printf '%s\n' "${POSTGRES_PASSWORD:?is needed}" >/tmp/password
    initdb -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password \
        --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -s -w -o '-c listen_addresses=' start
    createdb -U postgres "${POSTGRES_DB:?is needed}"
    pg_ctl -s -w stop
fi
exec "$@" -c listen_addresses='*'
