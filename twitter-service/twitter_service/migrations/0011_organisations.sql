-- Collections and searches belong to an organisation; those from before to the platform's. Two organisations may call their
-- collections alike, so that neither learns of the other's: inside the service a collection is named by its key.
ALTER TABLE x_collections ADD COLUMN org text NOT NULL DEFAULT 'default';
ALTER TABLE x_collections ADD COLUMN key text GENERATED ALWAYS AS
    (CASE WHEN org = 'default' THEN id ELSE org || '/' || id END) STORED;
ALTER TABLE x_collections DROP CONSTRAINT x_collections_pkey;
ALTER TABLE x_collections ADD PRIMARY KEY (key);

ALTER TABLE x_searches ADD COLUMN org text NOT NULL DEFAULT 'default';
CREATE INDEX x_searches_of_org ON x_searches (org, created_at DESC, id DESC);
COMMENT ON COLUMN x_searches.collection_id IS 'The key of its collection.';
