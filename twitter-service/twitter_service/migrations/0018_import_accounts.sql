-- Tracked accounts that wrote, or are mentioned in, what an import has stored: an import that is resumed goes on from them.
ALTER TABLE imports ADD COLUMN accounts text[] NOT NULL DEFAULT '{}';
