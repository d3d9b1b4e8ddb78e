"""Wire models of suspected coordination."""

from __future__ import annotations

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp


class Member(ResponseModel):
    """An account of a group."""

    username: str
    meetings: int = Field(ge=1, description="Moments at which it posted the same thing as another member.")


class Occasion(ResponseModel):
    """A moment at which several members posted the same thing within seconds."""

    at: Timestamp
    members: int = Field(ge=2)
    what: str = Field(description="A hashtag, a link, or 'the same text'.")


class Shared(ResponseModel):
    """What the members posted together."""

    what: str = Field(description="A hashtag, a link, or 'the same text'.")
    tweets: int = Field(ge=1, description="Tweets of members with it.")
    share: float = Field(ge=0, le=1, description="Their share of all tweets with it; retweets are left out.")


class SuspectedGroup(ResponseModel):
    """Accounts suspected of coordination. It is evidence about timing, not about who is behind an account."""

    members: list[Member] = Field(description="Most meetings first.")
    pairs: int = Field(ge=1, description="Pairs of members that posted the same thing within seconds again and again.")
    expected_pairs: float = Field(ge=0, description="Pairs that would by chance, at the same activity.")
    log10_chance: float = Field(le=0, description="log10 of the chance of so many pairs, for the clearest object.")
    first_at: Timestamp
    last_at: Timestamp
    shared: list[Shared] = Field(description="Clearest evidence first.")
    time_line: list[Occasion] = Field(description="The first 100 moments, oldest first.")
    tweets: int = Field(ge=2, description="Tweets behind it.")
    tweet_ids: list[str] = Field(description="Up to 50 of them.")
    why: str = Field(description="One sentence with the evidence.")
