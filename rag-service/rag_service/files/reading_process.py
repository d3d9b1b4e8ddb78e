"""Reads a file in a process of its own, which is ended when it takes too long or too much memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from castor_chassis import ChildLate, ChildLost, ChildProcess
from castor_chassis.background.child_loop import Answer
from rag_service.errors import FileUnreadable
from rag_service.files.chunking import passages_of
from rag_service.files.model import Section
from rag_service.files.parsing import sections_of


def answering() -> Answer:
    """Return what answers in the process: a media type, a line feed and a file with passages, or why there are none."""

    def answer(question: bytes) -> Iterable[bytes]:
        media_type, _, content = question.partition(b"\n")
        try:
            passages = passages_of(sections_of(media_type.decode(), content))
            found = {"passages": [(each.heading, each.text, each.page) for each in passages]}
        except FileUnreadable as error:
            found = {"unreadable": error.details["reason"]}
        yield orjson.dumps(found)

    return answer


@dataclass(frozen=True, slots=True)
class ReadingProcess:
    """Starts a process for each file; it has ``seconds``, start included, and ``memory_mb`` of data."""

    seconds: float
    memory_mb: int = 256
    answering: Callable[[], Answer] = answering

    async def passages(self, media_type: str, content: bytes) -> list[Section]:
        """Return the passages of a file, in order; raises ``FileUnreadable``, for one that ends its process as well."""
        process = ChildProcess(self.answering, seconds=self.seconds, memory_mb=self.memory_mb)
        try:
            found = orjson.loads(await process.ask(media_type.encode() + b"\n" + content))
        except ChildLate as error:
            raise FileUnreadable(reason=f"it takes longer than {self.seconds:g} s to read; send its parts") from error
        except ChildLost as error:
            reason = "it ends the process that reads it; send its text, or its parts"
            raise FileUnreadable(reason=reason) from error
        finally:
            await process.close()
        if "unreadable" in found:
            raise FileUnreadable(reason=found["unreadable"])
        return [Section(*passage) for passage in found["passages"]]
