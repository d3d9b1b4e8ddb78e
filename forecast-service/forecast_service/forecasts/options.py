"""What a caller may choose about a forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from forecast_service.forecasts.methods import MethodName


@dataclass(frozen=True, slots=True)
class Options:
    """Days ahead, the probability of the interval, and the method ('auto': the ensemble)."""

    horizon_days: int = 14
    level: float = 0.8
    method: MethodName | Literal["auto"] = "auto"
