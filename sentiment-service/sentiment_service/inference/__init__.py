"""From a request to scores: preprocessing, cache, fair queue, batches."""
