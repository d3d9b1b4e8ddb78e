"""Wire models: the OpenAI shapes, and nothing of theirs that this service would ignore silently."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints

from castor_chassis import JsonObject, RequestModel, ResponseModel, Text

MAX_EMBEDDING_CHARACTERS = 32_000
DEFAULT = "default"
BUNDLED = "bundled"
BUNDLED_FAST = "bundled-fast"
EXTRACTIVE = "extractive"

NUMBER = BeforeValidator(lambda value: _only_numbers(value))
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/@-]{1,128}$")]
Penalty = Annotated[float, Field(allow_inf_nan=False, ge=-2, le=2), NUMBER]


def _only_numbers(value: Any) -> Any:
    # Pydantic's lax mode takes true and "3" for numbers, JSON Schema does not.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _no_tokens(value: Any) -> Any:
    items = value if isinstance(value, list) else ()
    if any(isinstance(item, int | list) for item in items):
        raise ValueError("must be text; arrays of tokens are not accepted, because models do not share a tokeniser")
    return value


class TextPart(RequestModel):
    """A piece of text in a message."""

    type: Literal["text"]
    text: Text


class ImageUrl(RequestModel):
    """Where an image is."""

    url: Annotated[Text, Field(max_length=1_000_000)]
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(RequestModel):
    """An image in a message; only language models look at it."""

    type: Literal["image_url"]
    image_url: ImageUrl


class Message(RequestModel):
    """One turn; an answer's ``message`` may be sent back as it came."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | Annotated[list[TextPart | ImagePart], Field(max_length=512)] | None = None
    name: Annotated[Text, Field(max_length=128)] | None = None
    tool_call_id: Annotated[Text, Field(max_length=128)] | None = None
    tool_calls: Annotated[list[JsonObject], Field(max_length=128)] | None = None
    refusal: Text | None = None
    annotations: Annotated[list[JsonObject], Field(max_length=512)] | None = None

    def text(self) -> str:
        """Return the message's text, without its images."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))


class StreamOptions(RequestModel):
    """What a stream contains besides the answer."""

    include_usage: StrictBool = False


class ChatRequest(RequestModel):
    """A chat completion request; see the OpenAI API reference for the fields."""

    model: ModelName = Field(DEFAULT, description="'default', 'extractive', or a model of the upstream.")
    messages: Annotated[list[Message], Field(min_length=1, max_length=512)]
    stream: StrictBool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(allow_inf_nan=False, ge=0, le=2), NUMBER] | None = None
    top_p: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1), NUMBER] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000), NUMBER] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000), NUMBER] | None = None
    n: Literal[1] | None = Field(None, description="One answer per call, so that its cost is known beforehand.")
    stop: Text | Annotated[list[Text], Field(max_length=4)] | None = None
    seed: Annotated[int, Field(ge=-(2**53), le=2**53), NUMBER] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_format: JsonObject | None = None
    tools: Annotated[list[JsonObject], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | JsonObject | None = None
    parallel_tool_calls: StrictBool | None = None
    logprobs: StrictBool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20), NUMBER] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    metadata: Annotated[dict[str, Text], Field(max_length=16)] | None = None
    user: Annotated[Text, Field(max_length=256)] | None = None

    def structured_field(self) -> str | None:
        """Return the field that asks for more than text, and so for a language model; None without one."""
        if self.response_format and self.response_format.get("type", "text") != "text":
            return "response_format"
        if self.tool_choice == "required" or isinstance(self.tool_choice, dict):
            return "tool_choice"
        return None

    def for_upstream(self, model: str) -> dict[str, Any]:
        """Return the body that the upstream gets; whether it streams is added by the provider."""
        body = self.model_dump(mode="json", exclude_unset=True, exclude={"stream", "stream_options"})
        return {**body, "model": model}


class Usage(ResponseModel):
    """Tokens of a call; offline providers count words, as no model's tokeniser was involved."""

    model_config = ConfigDict(extra="allow")
    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int


class AssistantMessage(ResponseModel):
    """The answer."""

    model_config = ConfigDict(extra="allow")
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class Choice(ResponseModel):
    """One answer."""

    model_config = ConfigDict(extra="allow")
    index: int
    message: AssistantMessage
    finish_reason: str | None = None


class ChatCompletion(ResponseModel):
    """A chat completion; what an upstream says beyond this is passed on."""

    model_config = ConfigDict(extra="allow")
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: Usage | None = None
    degraded: list[str] | None = Field(None, description="['llm'] when no language model made this answer.")


def _bounded(text: str) -> str:
    # Not in the contract: 2048 texts of this length would be refused for their size before their number.
    if len(text) > MAX_EMBEDDING_CHARACTERS:
        raise ValueError(f"must have at most {MAX_EMBEDDING_CHARACTERS} characters; embed it in parts")
    return text


EmbeddingText = Annotated[
    str, StringConstraints(min_length=1, pattern=r"^[^\x00]*[^\x00-\x20\x7f-\xa0][^\x00]*$"), AfterValidator(_bounded)
]


class EmbeddingRequest(RequestModel):
    """An embeddings request."""

    model: ModelName = Field(DEFAULT, description="'default', 'bundled', 'bundled-fast', or a model of the upstream.")
    input: Annotated[
        EmbeddingText | Annotated[list[EmbeddingText], Field(min_length=1, max_length=2048)],
        BeforeValidator(_no_tokens),
    ]
    dimensions: Annotated[int, Field(ge=1, le=8192), NUMBER] | None = None
    encoding_format: Literal["float", "base64"] = "float"
    input_type: Literal["query", "passage"] | None = Field(
        None,
        description="How 'bundled' reads the texts: 'passage' for what is stored and found, 'query' (also when left "
        "out) for what is asked, and for both sides where texts are compared as equals. Other models do not read it.",
    )
    user: Annotated[Text, Field(max_length=256)] | None = None

    def texts(self) -> list[str]:
        """Return the input as a list."""
        return [self.input] if isinstance(self.input, str) else self.input


class Embedding(ResponseModel):
    """One vector of unit length: numbers, or little-endian float32 in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(ResponseModel):
    """Tokens of an embeddings call; cached texts cost none."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(ResponseModel):
    """Vectors in the order of the input."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str = Field(description="The model that made the vectors; vectors of two models do not compare.")
    version: str | None = Field(
        None,
        description="Of the bundled models: another version gives the same text another vector, so embed again when "
        "it changes. An upstream says the like by the model's name alone.",
    )
    usage: EmbeddingUsage
    degraded: list[str] | None = Field(
        None, description="['embeddings'] when another model than the one named answered."
    )


class Model(ResponseModel):
    """A model that requests may name."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(ResponseModel):
    """The models that requests may name."""

    object: Literal["list"] = "list"
    data: list[Model]


class BudgetOfAccount(ResponseModel):
    """One monthly limit and how far it is used."""

    account: str = Field(description="'total', 'tenant:<principal>' or 'service:<name>'.")
    limit_usd: float
    spent_usd: float
    held_usd: float = Field(description="The most that calls in flight may still cost.")
    left_usd: float = Field(description="What the next call may cost at most.")


class BudgetReport(ResponseModel):
    """The limits that the caller's calls count against; none: nothing limits them."""

    month: date = Field(description="First day of the month (UTC).")
    resets_at: str
    tenant: str
    service: str
    accounts: list[BudgetOfAccount]


class ErasedPrompts(ResponseModel):
    """What was erased."""

    tenant: str = Field(description="Whose calls: the caller, or the user on whose behalf a service calls.")
    erased: int = Field(description="How many stored prompts; 0 when none was kept.")


class UsageOfDay(ResponseModel):
    """What one model was used for on one day (UTC)."""

    date: date
    operation: Literal["chat", "embeddings"]
    provider: str
    model: str
    calls: int
    failed: int
    degraded: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    unpriced_calls: int = Field(description="Calls whose cost is unknown and not in cost_usd.")
    mean_latency_ms: float
