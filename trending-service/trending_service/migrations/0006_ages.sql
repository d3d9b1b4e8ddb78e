-- What is older than the retention is found without reading the rest.
CREATE INDEX watch_events_by_time ON watch_events (at);
CREATE INDEX trend_events_by_time ON trend_events (at);
