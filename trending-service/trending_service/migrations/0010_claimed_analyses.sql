-- Until when somebody writes the analysis of a trend; what happens to the trend meanwhile makes it due after that.
ALTER TABLE trends ADD COLUMN analysis_claimed_until timestamptz;
