"""HTTP: one router a resource."""

TAGS = {
    "twitter": "Import files of tweets, read tweets and the feed of their changes, erase them.",
    "reading": "Exports, authors, earlier versions and counts.",
    "entities": "The people and topics that tweets are matched with.",
    "x": "Searches, timelines and lookups at X, and what they cost; a key for X is needed.",
    "collections": "Searches at X that are repeated by themselves.",
}
"""The groups of routes in the contract, and what each is for."""
