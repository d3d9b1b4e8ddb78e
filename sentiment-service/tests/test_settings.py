"""Settings of the model."""

from __future__ import annotations

import pytest

from sentiment_service.settings import SentimentSettings


def test_settings_of_models_are_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels and languages are written as one would say them; what is neither is refused."""
    monkeypatch.setenv("SENTIMENT_LABELS", "negative,neutral,positive")
    monkeypatch.setenv("SENTIMENT_LANGUAGES", "en")
    settings = SentimentSettings()
    assert settings.labels == ("negative", "neutral", "positive")
    assert settings.languages == ("en",)
    for name, value in (("SENTIMENT_LABELS", "good,bad"), ("SENTIMENT_LANGUAGES", "Spanish"), ("MODEL_HUB_URL", "hub")):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, value)
            with pytest.raises(ValueError, match=name.lower()):
                SentimentSettings()
