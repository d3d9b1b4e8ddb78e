"""What the routes use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from castor_chassis import Principal, provided, require
from openai_service.billing.usage_reports import UsageReports
from openai_service.chat.service import ChatService
from openai_service.embeddings.service import EmbeddingService
from openai_service.prompt_log.service import PromptLog
from openai_service.protocol.models import ModelList
from openai_service.tasks.service import TaskService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    chat: ChatService
    embeddings: EmbeddingService
    models: ModelList
    tasks: TaskService
    reports: UsageReports
    prompt_log: PromptLog
    in_thread: Callable[..., Awaitable[Any]]
    heartbeat_seconds: float


R = Annotated[Resources, provided(Resources)]
Caller = Annotated[Principal, Depends(require("llm:use"))]
