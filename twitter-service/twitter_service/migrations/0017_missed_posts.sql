-- Which posts of a collection X no longer had when they were to be read. Null: none.
ALTER TABLE x_collections
    ADD COLUMN missed_since timestamptz,
    ADD COLUMN missed_until timestamptz;
