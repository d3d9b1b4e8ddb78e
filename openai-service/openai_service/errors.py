"""What can go wrong in openai-service."""

from castor_chassis import Conflict, ServiceError, Unavailable


class NoUpstream(ServiceError):
    """No language model is configured, and answering without one is not allowed."""

    status = 503
    code = "no_language_model"
    message = "No upstream is configured for the model '{model}'; set OPENAI_API_KEY or allow degraded answers."


class UpstreamUnavailable(ServiceError):
    """The upstream failed, is overloaded, or its breaker is open."""

    status = 503
    code = "upstream_unavailable"
    message = "The language model's API is unavailable ({reason}); try again as Retry-After says."


class UpstreamTimeout(ServiceError):
    """The upstream did not answer in time."""

    status = 504
    code = "upstream_timeout"
    message = "The language model's API did not answer within {seconds} s; ask for less or allow more time."


class UpstreamRefused(ServiceError):
    """The upstream understood the request and refused it."""

    status = 502
    code = "upstream_refused"
    message = "The language model's API refused the request with {upstream_status}: {reason}"


class LanguageModelNeeded(Conflict):
    """The request asks for what quoting cannot give, and no language model is configured."""

    code = "language_model_needed"
    message = "'{field}' needs a language model, and none is configured; leave it out or set OPENAI_API_KEY."


class WrongModel(Conflict):
    """The model exists but does something else."""

    code = "wrong_model"
    message = "The model '{model}' makes {makes}; for {wanted} use '{instead}'."


class WrongDimensions(Conflict):
    """The embedding model has one fixed number of dimensions, and it is another."""

    code = "wrong_dimensions"
    message = "The model '{model}' has {dimensions} dimensions and cannot make {wanted}; leave 'dimensions' out."


class EncoderNotLoaded(Unavailable):
    """The bundled encoder could not be loaded."""

    code = "encoder_unavailable"


class ClientGone(ServiceError):
    """The client hung up before the answer; nobody reads this."""

    status = 499
    code = "client_gone"
    message = "The client closed the connection before the answer was ready."


class OutputRefused(ServiceError):
    """The model's answer failed the checks, and its repair did as well."""

    status = 422
    code = "output_refused"
    message = "The model's answer for '{task}' cannot be used and was not repaired; see details.problems, and retry."
