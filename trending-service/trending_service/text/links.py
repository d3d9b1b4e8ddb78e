"""Links of a tweet: one form for all spellings of an address, and the domain that it leads to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'«»“”]+", re.IGNORECASE)
_TRACKING = re.compile(r"(?:^|&)(?:utm_\w+|fbclid|gclid|igshid|s|t|ref_src)=[^&]*", re.IGNORECASE)
SHORTENERS = frozenset({"t.co", "bit.ly", "goo.gl", "ow.ly", "buff.ly", "tinyurl.com", "dlvr.it", "is.gd"})
"""Domains that say nothing of where a link leads."""
OWN = frozenset({"twitter.com", "x.com", "mobile.twitter.com", "pic.twitter.com"})


def may_link(text: str) -> bool:
    """Tell quickly whether ``text`` may hold a link: most hold none."""
    return "://" in text or "www." in text.lower()


def links_of(text: str) -> list[tuple[str, str | None]]:
    """Return (address, domain) of each link: the address without scheme, ``www.``, tracking and fragment.

    The domain is None where it says nothing: of shorteners, and of X itself. What cannot be read is left out.
    """
    if not may_link(text):
        return []
    found: dict[str, str | None] = {}
    for match in _LINK.finditer(text):
        link = _address(match.group().rstrip(".,;:!?)]}…"))
        if link is not None:
            found[link] = _domain(link)
    return list(found.items())


def _address(link: str) -> str | None:
    try:
        parts = urlsplit(link if "://" in link else "https://" + link)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if "." not in host:
        return None
    query = _TRACKING.sub("", parts.query).strip("&")
    return host + parts.path.rstrip("/") + ("?" + query if query else "")


def _domain(link: str) -> str | None:
    host = re.split(r"[/?]", link, maxsplit=1)[0]
    return None if host in SHORTENERS | OWN else host
