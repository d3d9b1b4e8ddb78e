-- A digest of who waits for a back-test, so that nobody takes all places; empty once it has ended.
ALTER TABLE backtests ADD COLUMN asked_by text NOT NULL DEFAULT '';
