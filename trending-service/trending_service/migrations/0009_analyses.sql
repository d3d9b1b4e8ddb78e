-- When the analysis of a trend is to be stored anew in rag-service; NULL: the stored one says how the trend is.
ALTER TABLE trends ADD COLUMN analysis_due_at timestamptz;
CREATE INDEX trends_analysis_due ON trends (analysis_due_at) WHERE analysis_due_at IS NOT NULL;
