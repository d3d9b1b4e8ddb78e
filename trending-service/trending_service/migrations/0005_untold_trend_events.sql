-- An event of a trend stays untold until all watches were asked about it, also when its writer is killed in between.
ALTER TABLE trend_events ADD COLUMN told boolean NOT NULL DEFAULT true;
CREATE INDEX trend_events_untold ON trend_events (seq) WHERE NOT told;
