"""Errors of forecast-service."""

from castor_chassis import ServiceError, Unavailable


class EntityNotFound(ServiceError):
    """No entity of this id is tracked."""

    status = 404
    code = "entity_not_found"
    message = "No entity '{entity}' is tracked; list them with GET /v1/twitter/entities."


class DatasetNotFound(ServiceError):
    """No data set has this name."""

    status = 404
    code = "dataset_not_found"
    message = "No data set has the name '{dataset}'; list them with GET /v1/twitter/datasets."


class CountsChangeOver(Unavailable):
    """Counts were read while twitter-service changed to another version of the sentiment model."""

    code = "counts_change_over"
    message = (
        "twitter-service is changing its counts to another version of the sentiment model, and counts of two versions "
        "are not mixed; try again as Retry-After says."
    )


class PredictionNotFound(ServiceError):
    """No forecast has this id."""

    status = 404
    code = "prediction_not_found"
    message = (
        "No forecast has the id {prediction_id}, or it was made over 365 days ago; make one with "
        "POST /v1/forecast/predictions."
    )


class PollSetNotFound(ServiceError):
    """The organisation keeps no polls with this id."""

    status = 404
    code = "poll_set_not_found"
    message = "Your organisation keeps no polls with the id {set_id}; GET /v1/forecast/poll-sets lists them."


class TooManyPollSets(ServiceError):
    """The organisation keeps as many sets of polls as it may."""

    status = 409
    code = "too_many_poll_sets"
    message = "An organisation keeps at most {most} sets of polls; delete one with DELETE /v1/forecast/poll-sets/ID."


class TooFewDays(ServiceError):
    """There is too little history for an honest forecast."""

    status = 422
    code = "too_few_days"
    message = (
        "'{entity}' has {observed} observed days of the {needed} that a forecast needs; "
        "collect for longer or choose a later as_of."
    )


class DataTooOld(ServiceError):
    """The last day with an index is too long ago to be forecast from."""

    status = 422
    code = "data_too_old"
    message = (
        "The last day with an index of '{entity}' is {last_observed}, {age_days} days before the last whole day; "
        "forecasts are made from data of at most {bound_days} days. Collect again or choose an earlier as_of."
    )


class TooFewTweets(ServiceError):
    """Nobody spoke of any tracked entity in the span."""

    status = 422
    code = "too_few_tweets"
    message = "No tweet from {since} to {until} counts for a tracked entity; one is needed. Choose another span."


class NoTopicNamed(ServiceError):
    """No tweet of the entity in the span names a topic."""

    status = 422
    code = "no_topic_named"
    message = (
        "None of the {tweets} tweets of '{entity}' from {since} to {until} names a topic, and one must; "
        "choose a longer span."
    )


class UnusableSeries(ServiceError):
    """A posted series cannot be read as one value a day."""

    status = 422
    code = "unusable_series"
    field = "body.items"
    message = "The series cannot be used: {reason}."


class TooFewValues(ServiceError):
    """A posted series is too short for an honest forecast."""

    status = 422
    code = "too_few_days"
    field = "body.items"
    message = (
        "The series has {observed} values up to {until}, the last whole day, of the {needed} that a forecast needs."
    )


class NoVariation(ServiceError):
    """A posted series never moved."""

    status = 422
    code = "no_variation"
    field = "body.items"
    message = "All {days} values are {value}: how far the next may lie from it cannot be learned from them."


class SeriesTooOld(ServiceError):
    """A posted series ends too long before as_of."""

    status = 422
    code = "data_too_old"
    field = "body.items"
    message = (
        "The series ends on {last_observed}, {age_days} days before the last whole day; forecasts are made from data "
        "of at most {bound_days} days. Post later values or give an earlier as_of."
    )


class UnusablePolls(ServiceError):
    """Posted polls cannot be read as shares of candidates."""

    status = 422
    code = "unusable_polls"
    message = "The polls cannot be used: {reason}."


class TooFewPolls(ServiceError):
    """No candidate has enough polls for an average."""

    status = 422
    code = "too_few_polls"
    message = (
        "No candidate stands in {needed} polls that had ended by {until}, the last whole day; the most is {most}. "
        "Post more polls or give a later as_of."
    )


class PollsMediaType(ServiceError):
    """Polls were sent as something else than JSON or CSV."""

    status = 415
    code = "unsupported_media_type"
    message = "Polls are read as application/json or text/csv, not as '{content_type}'; set Content-Type."


class TooFewEvents(ServiceError):
    """Too few of the given days of past events have an index and came after the last long gap."""

    status = 422
    code = "too_few_events"
    message = (
        "{observed} of the event_days have an index and came on or after {since}, since the last gap of more than a "
        "week, and {needed} are needed to draw from; give more days, or a sentiment_shift or volume_change instead."
    )


class TooFewOrigins(ServiceError):
    """There is no day that a back-test could forecast from."""

    status = 422
    code = "too_few_origins"
    message = (
        "No day but the last has the history that a forecast needs: there are {observed} values, and {needed} are "
        "needed at least, two of the last ones on days that follow each other."
    )


class BacktestNotFound(ServiceError):
    """No back-test has this id."""

    status = 404
    code = "backtest_not_found"
    message = "No back-test has the id {backtest_id}, or it ended over 30 days ago; POST /v1/forecast/backtests."


class NothingToDraw(ServiceError):
    """None of several entities has a forecast."""

    status = 422
    code = "nothing_to_draw"
    message = "None of the entities has a forecast ({reasons}); collect for longer or choose another as_of."


class NothingTested(ServiceError):
    """No origin of a back-test is done yet."""

    status = 409
    code = "nothing_tested"
    message = "The back-test {backtest_id} is {state} and has no result to draw; wait until 'done' is above 0."


class BacktestFailed(ServiceError):
    """The back-test failed before it had a result."""

    status = 409
    code = "backtest_failed"
    message = (
        "The back-test {backtest_id} failed before its first result: {reason} Ask for it again with "
        "POST /v1/forecast/backtests."
    )


class StepTooFar(ServiceError):
    """A picture is asked for a day that was not forecast."""

    status = 422
    code = "step_too_far"
    message = "The back-test forecasts {horizon} days ahead, not {step}; give a step of at most {horizon}."


class UploadBroken(ServiceError):
    """The sender went away before the end of the body."""

    status = 400
    code = "upload_broken"
    message = "The polls did not arrive whole; send them again."
