"""Names that the test modules share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from openai import AsyncOpenAI

from castor_chassis.testing import RunningService

KEY = "sk-castor-0123456789abcdefSECRET"
Run = Callable[..., AbstractAsyncContextManager[RunningService]]
Sdk = Callable[[RunningService], AsyncOpenAI]
