"""Errors of forecast-service."""

from castor_chassis import ServiceError


class EntityNotFound(ServiceError):
    """No entity of this id is tracked."""

    status = 404
    code = "entity_not_found"
    message = "No entity '{entity}' is tracked; list them with GET /v1/twitter/entities."


class PredictionNotFound(ServiceError):
    """No forecast has this id."""

    status = 404
    code = "prediction_not_found"
    message = "No forecast has the id {prediction_id}; make one with POST /v1/forecast/predictions."


class TooFewDays(ServiceError):
    """There is too little history for an honest forecast."""

    status = 422
    code = "too_few_days"
    message = (
        "'{entity}' has {observed} observed days of the {needed} that a forecast needs; "
        "collect for longer or choose a later as_of."
    )
