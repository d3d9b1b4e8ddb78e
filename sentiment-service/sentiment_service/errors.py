"""What can go wrong in sentiment-service."""

from castor_chassis import Overloaded, Unavailable


class ModelUnavailable(Unavailable):
    """The model is still loading, or could not be loaded; the sentence says which and why."""

    code = "model_unavailable"
    message = "{reason}"


class QueueFull(Overloaded):
    """More texts wait to be scored than may."""

    message = "{waiting} texts wait to be scored and {limit} may; try again as Retry-After says."
