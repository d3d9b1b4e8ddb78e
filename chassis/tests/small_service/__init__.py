"""The service that the chassis's tests run; alone: ``python -m small_service``."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from castor_chassis.testing import RunningService

Running = Callable[..., AbstractAsyncContextManager[RunningService]]
