CREATE INDEX predictions_by_age ON predictions (made_at);

-- What jobs had done by an older algorithm is done again, so that none mixes two.
DELETE FROM backtest_origins AS o USING backtests AS b
WHERE b.id = o.backtest_id AND b.state IN ('waiting', 'running', 'failed');
