"""Errors of trending-service."""

from __future__ import annotations

from castor_chassis import Conflict, NotFound


class WebhooksOff(Conflict):
    """No webhooks here: they cannot be signed."""

    code = "webhooks_off"
    message = "Webhooks are switched off: set WEBHOOK_KEY, or leave 'url' out and read the stream of events."


class TooManyWatches(Conflict):
    """The caller has as many watches as one may have."""

    code = "too_many_watches"
    message = "You have {most} watches, more are not possible; delete one that is not needed."


class TooManyScopes(Conflict):
    """The caller watches as many places and entities as one may."""

    code = "too_many_scopes"
    message = "You watch {most} places and entities, more are not possible; delete the watches of one, or leave it out."


class ScopeNotFound(NotFound):
    """No stored tweet has the place, entity, axis or data set that was asked for."""

    code = "scope_not_found"
    message = "No stored tweet has the {kind} '{name}'; twitter-service knows which there are."
