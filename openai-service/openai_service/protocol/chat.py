"""Chat completions in OpenAI's shape. A field that this service would ignore is refused, not accepted silently."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from unicodedata import normalize
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, StrictBool

from castor_chassis import JsonObject, RequestModel, ResponseModel, Text
from openai_service.protocol.models import DEFAULT, NUMBER, ModelName

_PRIVATE_ZONES = frozenset(
    {"local", "localhost", "internal", "intranet", "lan", "home", "corp", "private", "test", "arpa"}
)
Penalty = Annotated[float, Field(allow_inf_nan=False, ge=-2, le=2), NUMBER]


class TextPart(RequestModel):
    """A piece of text in a message."""

    type: Literal["text"]
    text: Text


class ImageUrl(RequestModel):
    """Where an image is."""

    url: Annotated[Text, Field(max_length=1_000_000)]
    detail: Literal["auto", "low", "high"] | None = None


def is_inline(url: str) -> bool:
    """Return whether the image is in the address itself, so that nobody fetches it."""
    return url.lower().startswith("data:image/")


def is_fetchable(url: str) -> bool:
    """Return whether an upstream may be given the address of an image: its bytes, or https at a public host name.

    Addresses, names without a dot and names of private zones are refused: an upstream in our own network would fetch
    from there what the caller cannot reach.
    """
    if is_inline(url):
        return True
    try:
        parts = urlsplit(url)
        # As clients read names (IDNA): 'db.ｉnternal' and 'db。internal' are db.internal to them.
        host, port = normalize("NFKC", parts.hostname or "").replace("。", ".").rstrip(".").lower(), parts.port
    except ValueError:
        return False
    zone = host.rpartition(".")[2]
    is_public = "." in host and zone.isalpha() and zone not in _PRIVATE_ZONES
    return parts.scheme == "https" and is_public and port in (None, 443) and "@" not in parts.netloc


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
    audio: JsonObject | None = None
    function_call: JsonObject | None = None
    reasoning_content: Text | None = Field(None, description="What the model thought; of vLLM, DeepSeek and others.")
    reasoning: Text | None = None
    reasoning_details: Annotated[list[JsonObject], Field(max_length=512)] | None = None

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

    def image_urls(self) -> list[str]:
        """Return the addresses of the images in all messages."""
        contents = [message.content for message in self.messages if isinstance(message.content, list)]
        return [part.image_url.url for parts in contents for part in parts if isinstance(part, ImagePart)]

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
