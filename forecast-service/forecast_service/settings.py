"""Settings of forecast-service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from castor_chassis import HttpAddress, ServiceSettings


class ForecastSettings(ServiceSettings):
    """What forecast-service needs beside what every service has."""

    service_name: ClassVar[str] = "forecast-service"

    twitter_url: HttpAddress = Field("https://twitter-service:8443", description="Where twitter-service answers.")
    trending_url: HttpAddress = Field("https://trending-service:8443", description="Where trending-service answers.")
    rag_url: HttpAddress | None = Field(
        None, description="Where analyses of forecasts are stored as documents; without it none are."
    )
    analysis_organisations: str = Field(
        "default",
        pattern=r"^(?:[A-Za-z0-9_.-]{1,64}(?: [A-Za-z0-9_.-]{1,64})*)?$",
        description="Organisations that get analyses, separated by a space; empty: none.",
    )
    alpha: float = Field(0.5, ge=0, le=1, description="Weight of sentiment against share of conversation in ICCE.")
    smoothing: float = Field(0.3, gt=0, le=1, description="Weight of the newest day in the smoothed ICCE.")
    counts_timeout_seconds: float = Field(10, gt=0, description="Time limit of one request for daily counts.")
    trends_timeout_seconds: float = Field(
        1.5, gt=0, description="How long an answer about changes waits for what was trending then."
    )
    minimum_days: int = Field(14, ge=8, description="Fewer observed days than this are not forecast.")
    history_days: int = Field(180, ge=30, le=730, description="How far back a forecast looks.")
    maximum_age_days: int = Field(
        7, ge=0, description="Data whose last day is older than this is not forecast: its rhythm and level are gone."
    )
    fit_processes: int = Field(1, ge=1, le=64, description="Processes that make forecasts; each holds about 250 MB.")
    forecasts_remembered: int = Field(
        500, ge=0, le=100_000, description="Forecasts kept in memory: the same series is not fitted again."
    )
