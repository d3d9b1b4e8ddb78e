-- When the analysis of a forecast is to be stored in rag-service; NULL: it is there, or the forecast has none.
ALTER TABLE predictions ADD COLUMN analysis_due_at timestamptz;
CREATE INDEX predictions_analysis_due ON predictions (analysis_due_at) WHERE analysis_due_at IS NOT NULL;
