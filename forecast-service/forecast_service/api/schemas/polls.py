"""Wire models of polls. Shares are in percent, effects of pollsters in percentage points."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from castor_chassis import ComposedText, Integer, Number, Pattern, RequestModel, ResponseModel, Timestamp
from forecast_service.api.schemas.predictions import AS_OF, Day
from forecast_service.polls import model
from forecast_service.polls.checks import LARGEST_SAMPLE, SMALLEST_SAMPLE
from forecast_service.polls.model import Poll
from forecast_service.polls.table import MOST_POLLS

Name = Annotated[ComposedText, StringConstraints(min_length=1, max_length=100)]
Percent = Annotated[Number, Field(ge=0, le=100)]


class PollIn(RequestModel):
    """One published poll."""

    pollster: Name = Field(description="Who asked; upper case, accents and spaces make no difference.")
    since: Day | None = Field(None, description="First day of the field work; default: 'until'.")
    until: Day = Field(description="Last day of the field work.")
    sample_size: Annotated[Integer, Field(ge=SMALLEST_SAMPLE, le=LARGEST_SAMPLE)] = Field(description="People asked.")
    shares: dict[Name, Percent | None] = Field(
        min_length=1, max_length=40, description="Percent by candidate as published; null where not asked."
    )

    def record(self) -> Poll:
        """Return the poll, without the candidates that it did not ask for."""
        shares = tuple((name, share) for name, share in self.shares.items() if share is not None)
        return Poll(self.pollster, self.since or self.until, self.until, self.sample_size, shares)


class PollsRequest(RequestModel):
    """Polls of one contest."""

    polls: list[PollIn] = Field(min_length=1, max_length=MOST_POLLS)


class PollDay(ResponseModel):
    """The average of one day, in percent."""

    date: datetime.date
    share: float
    low: float = Field(description="Lower end of the band: sampling, scatter beyond it, pollsters, days since.")
    high: float


class PollHouse(ResponseModel):
    """How far a pollster lies from the average of all pollsters for a candidate, in points at today's share."""

    pollster: str
    polls: int
    points: float
    low: float
    high: float


class PollCandidate(ResponseModel):
    """A candidate's average."""

    candidate: str
    share: float = Field(description="Of the last of 'days', in percent.")
    low: float
    high: float
    polls: int = Field(description="Polls that asked for the candidate.")
    houses: list[PollHouse]
    drift: float = Field(description="Standard deviation of the change from day to day, in points at today's share.")
    excess: float = Field(description="Standard deviation of polls beyond their sampling error, in points.")
    days: list[PollDay]


class PollAverage(ResponseModel):
    """Averages of polls. They describe answers to pollsters, not the conversation, and are not mixed with ICCE."""

    as_of: Timestamp
    level: float = Field(description="Probability of the bands.")
    polls: int = Field(description="Polls that rest in the averages, each counted once.")
    later_polls: int = Field(description="Polls that ended after the last whole day before as_of, which are left out.")
    last_poll: datetime.date = Field(description="Last day of field work of the latest of them.")
    data_age_days: int = Field(description="Days from last_poll to the last whole day before as_of.")
    coverage: float | None = Field(
        description="Share of polls that lay within the band that the polls before them gave; null when too few."
    )
    too_few: list[str] = Field(description="Candidates in fewer than three polls, which have no average.")
    candidates: list[PollCandidate] = Field(description="The largest share first.")
    notes: list[Literal["few_polls", "stale", "polls_share_errors", "conversation_is_not_votes"]] = Field(
        description="few_polls: fewer than 8, so that the priors of the model make the band; stale: no poll in two "
        "weeks; polls_share_errors: an error that all pollsters share is in no band, and past errors of final polls "
        "are about twice the sampling error; conversation_is_not_votes: the index of the conversation is not in it."
    )


SetId = Annotated[str, Pattern(r"^[0-9a-f]{32}$", "must be 32 digits, 0 to 9 and a to f")]


class PollSet(ResponseModel):
    """Polls that your organisation keeps."""

    id: str
    name: str
    polls: int = Field(description="Polls in it, each counted once.")
    first_poll: datetime.date = Field(description="First day of field work of the earliest.")
    last_poll: datetime.date = Field(description="Last day of field work of the latest.")
    created_at: Timestamp

    @classmethod
    def of(cls, kept: model.PollSetSummary) -> PollSet:
        """Return what is answered of a set."""
        return cls(
            id=kept.id, name=kept.name, polls=kept.polls, first_poll=kept.first_poll, last_poll=kept.last_poll,
            created_at=kept.created_at,
        )  # fmt: skip


POLLS_AS_OF = AS_OF + " Polls that ended later are left out."
