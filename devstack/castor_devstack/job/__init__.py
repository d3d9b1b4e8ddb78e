"""The main job: import, score, find trends, index, forecast, answer."""
