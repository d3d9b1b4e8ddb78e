"""The errors of openai-service. Their docstrings are descriptions in the contract."""

from typing import Self

from castor_chassis import Conflict, Invalid, Overloaded, ServiceError, Unavailable


class NoUpstream(ServiceError):
    """No language model is configured, and answering without one is not allowed."""

    status = 503
    code = "no_language_model"
    message = "No upstream is configured for the model '{model}'; set OPENAI_API_KEY or allow degraded answers."


class UpstreamError(ServiceError):
    """A call of an upstream failed."""

    maybe_charged = False
    """True when the upstream may have processed the request, and so may charge for it."""

    def processed(self) -> Self:
        """Set ``maybe_charged`` and return the error itself."""
        self.maybe_charged = True
        return self


class UpstreamUnavailable(UpstreamError):
    """The upstream failed, is overloaded, or its breaker is open."""

    status = 503
    code = "upstream_unavailable"
    message = "The language model's API is unavailable ({reason}); try again as Retry-After says."


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer in time."""

    status = 504
    code = "upstream_timeout"
    message = "The language model's API did not answer within {seconds} s; ask for less or allow more time."


class CallerTimedOut(UpstreamTimeout):
    """The caller's time is nearly over, and the call that it shares may go on for others with more."""


class UpstreamRefused(UpstreamError):
    """The upstream understood the request and refused it."""

    status = 502
    code = "upstream_refused"
    message = "The language model's API refused the request with {upstream_status}: {reason}"
    param: str | None = None
    """The field that the upstream blames beside its words, as it writes it; None where it names none."""
    unknown_fields: tuple[str, ...] | None = None
    """The fields that a list of validation errors calls unknown, for example ``messages.0.reasoning_content``; None
    without such a list."""


class WrongVectors(UpstreamError):
    """An API answered with other vectors than it was asked for; repeating it would bring the same."""

    status = 502
    code = "wrong_vectors"
    message = (
        "The API '{provider}' made {reason} of the model '{model}'; leave 'dimensions' out if the model has one number "
        "of them, and give a model that was replaced another name in ROUTES."
    )


class BudgetSpent(ServiceError):
    """The month's budget has no room for what this call may cost."""

    status = 429
    code = "budget_spent"
    message = (
        "The budget '{account}' of {limit_usd:.6g} USD has {spent_usd:.6g} spent, and this call may cost "
        "{needed_usd:.6g}; allow fewer tokens, wait until {resets_at}, or raise the budget."
    )

    def headers(self) -> dict[str, str]:
        """Tell the SDK, which repeats every other 429, not to repeat this one."""
        return {"X-Should-Retry": "false"}


class BudgetHeld(ServiceError):
    """The budget has room, but calls in flight hold it for now."""

    status = 429
    code = "budget_held"
    message = (
        "Calls in flight hold {held_usd:.6g} USD of the budget '{account}', and this one may cost {needed_usd:.6g}; "
        "try again as Retry-After says."
    )


class PriceUnknown(Conflict):
    """A budget applies and nobody knows what the model costs."""

    code = "price_unknown"
    message = "A budget applies, and the model '{model}' has no price; add it to PRICE_TABLE (0 where it is free)."


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


class TextNeeded(Invalid):
    """The input is numbers of tokens, which only a model with the same tokeniser can read."""

    code = "text_needed"
    message = "Numbers of tokens {reason}; send text instead (LangChain: check_embedding_ctx_length=False)."
    field = "body.input"


class TextNotEmbedded(Invalid):
    """The model answers numbers for a text that are no vector; repeating it would bring the same."""

    code = "text_not_embedded"
    message = (
        "The model '{model}' makes no vector of {count} of the texts, the first at index {index}; change or leave them "
        "out, and repeat the rest, which is cached."
    )
    field = "body.input"


class EncoderNotLoaded(Unavailable):
    """The bundled encoder could not be loaded."""

    code = "encoder_unavailable"


class EncoderBusy(Overloaded):
    """More texts wait for the bundled encoder than may."""

    code = "encoder_busy"
    message = "{waiting} texts wait for the bundled encoder already; try again as Retry-After says, or send fewer."


class ClientGone(ServiceError):
    """The client hung up before the answer; this appears in logs and metrics only."""

    status = 499
    code = "client_gone"
    message = "The client closed the connection before the answer was ready."


class OutputRefused(ServiceError):
    """The model's answer failed the checks, and its repair did as well."""

    status = 422
    code = "output_refused"
    message = "The model's answer for '{task}' cannot be used and was not repaired; see details.problems, and retry."
