"""Server-sent events: parsed the same however the network cut them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_service.protocol.sse import MAX_EVENT_BYTES, EventParser, render_event

DATA = st.binary(min_size=1, max_size=30).filter(lambda data: b"\n" not in data and b"\r" not in data)


@given(st.lists(DATA, max_size=8), st.lists(st.integers(0, 300), max_size=12), st.booleans())
def test_events_survive_any_cut(data: list[bytes], cuts: list[int], crlf: bool) -> None:
    """Whatever the pieces, the data comes back event by event; comments and other fields are skipped."""
    noise = b": comment\n\nid: 7\nevent: x\n"
    stream = noise.join([b"", *map(render_event, data)])
    stream = stream.replace(b"\n", b"\r\n") if crlf else stream
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = EventParser()
    found = [event for start, end in itertools.pairwise(places) for event in parser.feed(stream[start:end])]
    assert found == data


def test_several_data_lines_are_one_event() -> None:
    """Lines of one event are joined by a line feed; one leading space is not data."""
    assert EventParser().feed(b"data: a\ndata:b\ndata:  c\n\n") == [b"a\nb\n c"]


def test_an_unfinished_event_is_not_returned() -> None:
    """An event without its blank line was cut."""
    assert EventParser().feed(b"data: a\n\ndata: b\n") == [b"a"]


def test_an_endless_event_is_refused() -> None:
    """An event that grows without end raises instead of filling the memory; what was complete before it is returned."""
    parser = EventParser()
    assert parser.feed(b"data: a\n\ndata: " + b"x" * (MAX_EVENT_BYTES + 1)) == [b"a"]
    with pytest.raises(ValueError, match="without an end"):
        parser.feed(b"x")
