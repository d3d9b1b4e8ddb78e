#!/bin/sh
# What compose uses of the official image: a user and a password from the environment, and scripts that run once, before
# PostgreSQL listens on the network.
set -eu
data=/var/lib/postgresql/data
export PGUSER="$POSTGRES_USER"

if [ "$(id -u)" = 0 ]; then
    chown postgres: /var/lib/postgresql
    exec setpriv --reuid postgres --regid postgres --clear-groups sh "$0"
fi
if [ ! -s "$data/PG_VERSION" ]; then
    echo "$POSTGRES_PASSWORD" > /tmp/password
    initdb --pgdata "$data" --username "$PGUSER" --pwfile /tmp/password --auth-host scram-sha-256 --auth-local trust \
        --encoding UTF8 --locale C.UTF-8
    rm /tmp/password
    pg_ctl --pgdata "$data" --wait --options "-c listen_addresses='' -k /tmp" start
    export PGHOST=/tmp
    for script in /docker-entrypoint-initdb.d/*.sh; do sh "$script"; done
    pg_ctl --pgdata "$data" --wait stop
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
fi
exec postgres -D "$data" -c "listen_addresses=*" -k /tmp
