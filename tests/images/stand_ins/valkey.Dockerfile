ARG BASE
FROM ${BASE}
COPY valkey-server /usr/bin/valkey-server
WORKDIR /tmp
