"""Pictures of forecasts, comparisons, polls and back-tests for slides."""
