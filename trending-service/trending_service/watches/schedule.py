"""When an event is due: quiet hours, digests, the pauses between attempts. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 6 * 3600.0


def due_at(
    now: datetime, zone: ZoneInfo, *, quiet_from: int | None, quiet_until: int | None, digest_minutes: int | None
) -> datetime:
    """Return when an event of ``now`` is to be told: at the end of its digest, never in the quiet hours."""
    moment = now
    if digest_minutes is not None:
        length = 60 * digest_minutes
        moment = now + timedelta(seconds=length - now.timestamp() % length)
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return moment
    local = moment.astimezone(zone)
    hours_in = (local.hour - quiet_from) % 24
    if hours_in >= (quiet_until - quiet_from) % 24:
        return moment
    left = (quiet_until - local.hour) % 24
    return local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=left)


def pause_seconds(attempts: int, chance: Random) -> float:
    """Return the pause after ``attempts`` failed ones: doubled each time, with jitter."""
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempts, 30))
    return longest * chance.uniform(0.5, 1.0)
