"""The sentiment of texts: preprocessing, score cache, fair queue, batches, drift."""
