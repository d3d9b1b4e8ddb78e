"""The errors of sentiment-service."""

from castor_chassis import Overloaded, Unavailable


class ModelUnavailable(Unavailable):
    """The model is still loading, or could not be loaded; the sentence says which and why."""

    code = "model_unavailable"
    message = "{reason}"


class QueueFull(Overloaded):
    """The texts would wait too long to be scored, or too many wait."""

    message = "{waiting} texts wait to be scored, yours would wait {seconds} s; try again as Retry-After says."
