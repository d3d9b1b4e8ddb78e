"""What can go wrong with X, as callers see it."""

from __future__ import annotations

from castor_chassis import Conflict, Invalid, NotFound, ServiceError, Unavailable


class EmptySearch(Invalid):
    """The search names nothing to look for."""

    code = "search_empty"
    field = "body"
    message = "The search names nothing to look for; give any_of, all_of, hashtags, mentions, authors or location."


class EmptyTerm(Invalid):
    """A term has no letter, digit or symbol, or a handle is none."""

    code = "search_term_empty"
    field = "body"
    message = (
        "The term {term!r} cannot be searched for; give one with a letter, a digit or an emoji (a handle: A-Z, 0-9, _)."
    )


class QueryTooLong(Invalid):
    """What must hold in every query is longer than X allows."""

    code = "search_too_long"
    field = "body"
    message = "The search does not fit the {limit} characters of one query; give fewer or shorter all_of and none_of."


class WindowTooFar(Invalid):
    """The search reaches back further than X keeps for it."""

    code = "search_window"
    field = "body.since"
    message = "Recent search reaches {days} days back; ask for a later since or at most {days} days_back{archive}."


class WindowEmpty(Invalid):
    """The search ends before it begins."""

    code = "search_window_empty"
    field = "body.until"
    message = "The search ends at {until}, not after its beginning {since}; give a later until (at least 15 s ago)."


class ArchiveNotEnabled(Invalid):
    """Full-archive search is not part of the plan."""

    code = "archive_not_enabled"
    field = "body.archive"
    message = "Full-archive search is not enabled; leave archive out, or set X_FULL_ARCHIVE where the plan has it."


class XNotConfigured(Conflict):
    """There is no key for X; no wait will change that, so it is no 503."""

    code = "x_not_configured"
    message = (
        "No key for X is configured; set X_BEARER_TOKEN (and REDIS_URL), "
        "or import tweets from a file (POST /v1/twitter/imports)."
    )


class XUnavailable(Unavailable):
    """X does not answer, or answers with a failure of its own."""

    code = "x_unavailable"
    message = "X does not answer ({reason}); nothing was lost, try again as Retry-After says."


class XAllowanceSpent(Unavailable):
    """X's rate limit for this endpoint is used up until its window ends."""

    code = "x_allowance_spent"
    message = "X's allowance for {endpoint} is used up; it is renewed as Retry-After says."


class XLimitsUnavailable(Unavailable):
    """The shared count of X's allowances is away, and without it no request is sent."""

    code = "x_limits_unavailable"
    message = "Redis, which counts X's allowances for all replicas, does not answer; try again as Retry-After says."


class XUnauthorized(Unavailable):
    """X does not accept the key."""

    code = "x_unauthorized"
    message = "X refused the key with {status} ({reason}); check X_BEARER_TOKEN and what its plan includes."


class XRejected(ServiceError):
    """X understood the request and refused it."""

    status = 502
    code = "x_rejected"
    message = "X refused the request with {status} ({reason}); change the search, or report it with the request id."


class UserNotFound(NotFound):
    """X knows no such user."""

    code = "x_user_not_found"
    message = "X knows no user @{handle}, or hides it; check the handle."
