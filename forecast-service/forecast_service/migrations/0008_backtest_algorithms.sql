-- Which algorithm of forecasts a job is of, and which made an origin. 0 is what versions write that do not name theirs:
-- they still run while this is applied, and none of their origins may be taken for those of a later algorithm.
ALTER TABLE backtests ADD COLUMN algorithm integer NOT NULL DEFAULT 0;
ALTER TABLE backtest_origins ADD COLUMN algorithm integer NOT NULL DEFAULT 0;
