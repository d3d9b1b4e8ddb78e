"""Settings that cannot work end the start with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from openai_service.settings import OpenAISettings


def test_settings_that_contradict_each_other_are_refused() -> None:
    """A timeout beyond its deadline, or an embedding upstream that is not there, ends the start with the reason."""
    with pytest.raises(ValidationError, match="must be below chat_timeout_seconds"):
        OpenAISettings(openai_timeout_seconds=120)
    with pytest.raises(ValidationError, match="set OPENAI_API_KEY or OPENAI_BASE_URL"):
        OpenAISettings(embedding_provider="upstream")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"routes": {"m": ["nobody/m"]}}, "is no provider/model of none"),
        ({"providers": [{"name": "a", "kind": "azure", "base_url": "https://x"}]}, "api_version"),
        ({"providers": [{"name": "a"}]}, "set base_url"),
        ({"providers": [{"name": "a", "base_url": "http://x"}, {"name": "a", "base_url": "http://y"}]}, "same name"),
        ({"provider_keys": "sk-secret"}, "PROVIDER_KEYS must be a JSON object"),
        ({"budgets": {"everyone": 1}}, "budgets"),
        ({"budget_lease_seconds": 100}, "must be above"),
    ],
)
def test_providers_that_make_no_sense_end_the_start(wrong: dict[str, Any], said: str) -> None:
    """A route to an unknown provider, an incomplete address, two equal names, or keys that are not JSON are refused."""
    with pytest.raises(ValidationError, match=said) as caught:
        OpenAISettings(**wrong)
    assert "sk-secret" not in str(caught.value)
