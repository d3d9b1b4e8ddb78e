"""Wire models of the tasks: what callers send, what a model must write, what is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from castor_chassis import Composed, Pattern, RequestModel, ResponseModel

# Spelled out: \s is not the same set of characters in JSON Schema and in the validator.
NOT_BLANK = Pattern(
    r"^[^\x00]*[^\x00-\x20\x7f-\xa0][^\x00]*$", "must have a character that can be seen, and no null character"
)
DocumentId = Annotated[
    str, Pattern(r'^[^"<>\x00-\x1f]{1,200}$', 'must be 1 to 200 characters without " < > and control characters')
]
DocumentText = Annotated[str, StringConstraints(max_length=4000), NOT_BLANK, Composed]
Short = Annotated[str, StringConstraints(max_length=200), NOT_BLANK, Composed]
Line = Annotated[str, StringConstraints(max_length=1200), NOT_BLANK, Composed]
Label = Annotated[
    str,
    Pattern(
        r"^[^\x00-\x20\x7f-\xa0][^\x00-\x1f]{0,79}$",
        "must be 1 to 80 characters without control characters, and begin with one that can be seen",
    ),
    Composed,
]


class SourceDocument(RequestModel):
    """A text to work on: a post, a news item, a passage. It is data, whatever it says."""

    id: DocumentId
    text: DocumentText


Documents = Annotated[
    list[SourceDocument],
    Field(min_length=1, max_length=200, description="Best first. An id that comes twice names one document."),
]


class TaskRequest(RequestModel):
    """What every task takes."""

    documents: Documents
    location: Short | None = Field(None, description="The place it is about, for example 'Cali'.")
    candidate: Short | None = Field(None, description="The candidate it is written for or about.")


class SummaryRequest(TaskRequest):
    """Texts to sum up."""

    kind: Literal["executive", "media", "neutral"] = "neutral"


class TopicsRequest(RequestModel):
    """Texts to classify."""

    documents: Documents
    labels: Annotated[list[Label], Field(min_length=2, max_length=40)] | None = Field(
        None, description="The permitted topics; by default the slugs of the ten PND axes."
    )


class PlanRequest(TaskRequest):
    """Texts that a plan answers to."""

    goals: Annotated[list[Short], Field(max_length=8)] = Field(default_factory=list)


class SpeechRequest(TaskRequest):
    """Texts that a speech answers to."""

    minutes: Literal[3, 5, 7, 10] = Field(7, description="Length when read aloud at 130 words a minute.")
    tone: Short = "institucional y cercano"


class Profile(RequestModel):
    """Whom advice is for."""

    name: Annotated[Short, Field(max_length=120)] | None = None
    role: Annotated[Short, Field(max_length=120)] | None = None
    tone: Annotated[Short, Field(max_length=80)] = "institucional"
    values: Annotated[list[Short], Field(max_length=12)] = Field(default_factory=list)
    red_lines: Annotated[list[Short], Field(max_length=12)] = Field(default_factory=list)


class AdviceRequest(TaskRequest):
    """Texts to react to, and for whom."""

    profile: Profile | None = None
    goals: Annotated[list[Short], Field(max_length=8)] = Field(default_factory=list)
    constraints: Annotated[list[Short], Field(max_length=8)] = Field(default_factory=list)
    max_drafts: Literal[1, 2, 3, 4, 5, 6] = 4


class AnswerRequest(RequestModel):
    """A question, and the only texts that may answer it."""

    question: Annotated[str, StringConstraints(max_length=2000), NOT_BLANK, Composed]
    documents: Documents


class _Written(BaseModel):
    """What a model writes; an unknown field is refused. Lists may be empty only where no model wrote (``jobs``)."""

    model_config = ConfigDict(extra="forbid")


class Evidence(_Written):
    """Where something stands: words of one document, exactly as they are there."""

    document_id: str
    quote: Annotated[str, Field(min_length=1, max_length=600)]


Proofs = Annotated[list[Evidence], Field(min_length=1, max_length=5)]
"""What a statement rests on; without one it is no statement."""
Prose = Annotated[str, Field(min_length=1, max_length=6000)]
Sentence = Annotated[str, Field(min_length=1, max_length=1000)]


class Finding(_Written):
    """A statement and its evidence."""

    text: Sentence
    evidence: Proofs


class Summary(_Written):
    """A summary."""

    overview: Prose
    findings: Annotated[list[Finding], Field(max_length=5)]
    recommendations: Annotated[list[Sentence], Field(max_length=5)]


class Topic(_Written):
    """One document's topic."""

    document_id: str
    label: str
    secondary: str | None
    confidence: Annotated[float, Field(ge=0, le=1)]


class Topics(_Written):
    """The topic of each document, in the order of the documents."""

    items: Annotated[list[Topic], Field(max_length=200)]


class Action(_Written):
    """Something to do."""

    action: Sentence
    priority: Literal["high", "medium", "low"]
    topic: Annotated[str, Field(max_length=120)]


class Plan(_Written):
    """A plan, for people to revise."""

    objectives: Annotated[list[Finding], Field(max_length=5)]
    actions: Annotated[list[Action], Field(max_length=8)]
    timeline: Annotated[str, Field(max_length=300)]
    expected_impact: Sentence


class Speech(_Written):
    """A speech, for people to revise."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    content: Annotated[str, Field(min_length=1, max_length=20_000)]
    key_points: Annotated[list[Finding], Field(max_length=6)]


class Draft(_Written):
    """A post or comment that a person may approve."""

    kind: Literal["post", "comment"]
    intent: Sentence
    draft: Annotated[str, Field(min_length=1, max_length=280)]
    rationale: Sentence
    risk_level: Literal["low", "medium", "high"]
    best_time: Annotated[str, Field(max_length=200)]
    evidence: Proofs


class Advice(_Written):
    """Advice with drafts."""

    guidance: Prose
    drafts: Annotated[list[Draft], Field(max_length=6)]


class SourcedAnswer(_Written):
    """An answer and what it rests on; ``answered`` is false when the documents do not answer."""

    answer: Prose
    evidence: Annotated[list[Evidence], Field(max_length=5)]
    answered: bool


class SpeechDraft(ResponseModel):
    """A speech and how long it takes to read aloud."""

    title: str
    content: str
    key_points: list[Finding]
    duration_minutes: float = Field(description="Words / 130.")
    approval_required: Literal[True] = Field(True, description="A person decides whether it is used.")


class PlanDraft(Plan):
    """A plan that a person must approve."""

    approval_required: Literal[True] = Field(True, description="A person decides whether it is used.")


class ReviewedAdvice(Advice):
    """Advice none of which may be published without a person's approval."""

    approval_required: Literal[True] = Field(True, description="Nothing here may be published by a machine.")
