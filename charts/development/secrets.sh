#!/bin/sh
# Writes .env for docker compose: a secret of its own for each purpose. Secrets that are there already are kept, because
# databases and sealed keys were made with them; other lines are kept as well. Needs openssl.
#
#   sh charts/development/secrets.sh [FILE]
set -eu

file=${1:-.env}
umask 077
touch "$file"
chmod 600 "$file"
# A last line without an end would swallow the first new one.
if [ -n "$(tail -c 1 "$file")" ]; then echo >> "$file"; fi

for name in POSTGRES_PASSWORD REDIS_PASSWORD LIMITS_REDIS_PASSWORD KEY_ENCRYPTION_SECRET WEBHOOK_KEY \
    BOOTSTRAP_ADMIN_PASSWORD AUTH_DATABASE_PASSWORD OPENAI_DATABASE_PASSWORD TWITTER_DATABASE_PASSWORD \
    TRENDING_DATABASE_PASSWORD RAG_DATABASE_PASSWORD FORECAST_DATABASE_PASSWORD; do
    grep -q "^$name=." "$file" || echo "$name=$(openssl rand -hex 32)" >> "$file"
done
echo "$file: BOOTSTRAP_ADMIN_PASSWORD is the password of admin@castor.example"
