"""Sentiment towards tracked entities, from the real sentiment-service."""

from __future__ import annotations

from pathlib import Path

from castor_chassis.testing import Authority, TokenIssuer

from .sentiment_kit import emptied, twitter_and_sentiment

FIRST_ID = 1_520_000_000_000_000_000
TEXTS = (
    "Qué bueno que perdió Rodolfo Hernández, qué alegría",
    "Voto por @FicoGutierrez, me encanta su propuesta",
    "Qué asco de tarde, llueve otra vez",
    "Petro es mejor que Fico",
)
ENTITIES = (
    {"id": "rodolfo", "name": "Rodolfo Hernández", "kind": "candidate"},
    {"id": "fico", "name": "Fico", "kind": "candidate", "handles": ["FicoGutierrez"]},
    {"id": "petro", "name": "Petro", "kind": "candidate"},
)


async def test_counts_by_what_is_said_about_each(
    tmp_path: Path, authority: Authority, issuer: TokenIssuer, postgres_url: str
) -> None:
    """A glad text about a defeat counts against the loser, a comparison for one and against the other."""
    await emptied(postgres_url)
    async with twitter_and_sentiment(tmp_path, authority, issuer, postgres_url) as pair:
        for entity in ENTITIES:
            answer = await pair.twitter.client.post("/v1/twitter/entities", json=entity)
            assert answer.status_code == 201, answer.text
        rows = [f'{FIRST_ID + n},ana,2022-05-01T10:00:0{n}Z,"{text}"' for n, text in enumerate(TEXTS)]
        await pair.imported("id,username,created_at,text\n" + "\n".join(rows) + "\n")
        async with pair.sentiment():
            await pair.until(lambda found: not found["pending"] and not found["targets_pending"])
        found = [(await pair.data(f"/tweets/{FIRST_ID + n}"))["towards"] for n in range(len(TEXTS))]
        labels = [{one["entity"]: one["label"] for one in towards} for towards in found]
        assert labels == [
            {"rodolfo": "negative"},
            {"fico": "positive"},
            {},
            {"petro": "positive", "fico": "negative"},
        ]
        days = {row["entity"]: row for row in (await pair.data("/counts/daily", until="2022-05-01"))["items"]}
        fields = ("tweets", "targeted", "positive", "negative")
        assert [days["fico"][name] for name in fields] == [2, 2, 1, 1]
        assert [days["rodolfo"][name] for name in fields] == [1, 1, 0, 1]
        # Each text was asked about once, whatever it names.
        assert sorted(pair.asked["/v1/sentiment/targets"]) == [FIRST_ID, FIRST_ID + 1, FIRST_ID + 3]
