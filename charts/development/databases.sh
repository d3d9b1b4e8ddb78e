#!/bin/sh
# A database, and a role that owns it, per service that stores something; extensions need the superuser, so they go into
# the template first. The PostgreSQL image runs this once, in an empty cluster. Each role has a password of its own, in
# AUTH_DATABASE_PASSWORD and so on.
set -eu

sql() { psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$1"; }

sql template1 <<SQL
CREATE EXTENSION vector;
CREATE EXTENSION unaccent;
CREATE EXTENSION pg_trgm;
SQL

for name in auth openai twitter trending rag forecast; do
    variable=$(echo "$name" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD
    password=
    eval "password=\${$variable:?}"
    sql postgres <<SQL
CREATE ROLE $name LOGIN PASSWORD '$password';
CREATE DATABASE $name OWNER $name;
REVOKE CONNECT ON DATABASE $name FROM PUBLIC;
SQL
done
