"""What the routes share: the services that ``start`` made, the caller, and the statuses of scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from castor_chassis import Principal, errors_of, provided, require
from sentiment_service.errors import ModelUnavailable, QueueFull
from sentiment_service.inference.service import SentimentService
from sentiment_service.targets.service import TargetSentimentService


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    sentiment: SentimentService
    targets: TargetSentimentService


R = Annotated[Resources, provided(Resources)]
Caller = Annotated[Principal, Depends(require("sentiment:analyze"))]
SCORING = errors_of(ModelUnavailable, QueueFull)
