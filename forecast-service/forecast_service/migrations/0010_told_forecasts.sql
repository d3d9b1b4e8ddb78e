-- Whether a forecast has an analysis, also once that is stored: of those of one entity, data set and day the last tells it.
ALTER TABLE predictions ADD COLUMN is_told boolean NOT NULL DEFAULT false;
UPDATE predictions SET is_told = true WHERE analysis_due_at IS NOT NULL OR prediction ->> 'method' = 'ensemble';
