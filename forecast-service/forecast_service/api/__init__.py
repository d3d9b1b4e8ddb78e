"""HTTP: one router a resource."""

TAGS = {
    "forecast": "The ICCE of each candidate, its momentum, share of voice and forecasts.",
    "backtests": "Whole forecasts made again from earlier days, as jobs with progress.",
    "charts": "Pictures of forecasts, comparisons and polls for slides, with a text alternative.",
}
"""The groups of routes in the contract, and what each is for."""
