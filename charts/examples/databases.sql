-- A role and a database for each service that stores something, and the extensions that a superuser has to create.
-- Run once as a superuser, with a password per role of letters and digits:
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -v auth=... -v openai=... -v twitter=... -v trending=... -v rag=... -v forecast=... \
--     -f charts/examples/databases.sql
CREATE ROLE auth LOGIN PASSWORD :'auth';
CREATE ROLE openai LOGIN PASSWORD :'openai';
CREATE ROLE twitter LOGIN PASSWORD :'twitter';
CREATE ROLE trending LOGIN PASSWORD :'trending';
CREATE ROLE rag LOGIN PASSWORD :'rag';
CREATE ROLE forecast LOGIN PASSWORD :'forecast';
CREATE DATABASE auth OWNER auth;
CREATE DATABASE openai OWNER openai;
CREATE DATABASE twitter OWNER twitter;
CREATE DATABASE trending OWNER trending;
CREATE DATABASE rag OWNER rag;
CREATE DATABASE forecast OWNER forecast;
REVOKE CONNECT ON DATABASE auth, openai, twitter, trending, rag, forecast FROM PUBLIC;
\connect twitter
CREATE EXTENSION IF NOT EXISTS unaccent;
\connect rag
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS unaccent;
