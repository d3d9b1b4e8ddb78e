-- Credentials are deleted some time after their end.

CREATE INDEX api_keys_end ON api_keys (least(expires_at, revoked_at));
CREATE INDEX service_account_credentials_end ON service_account_credentials (least(expires_at, revoked_at));
