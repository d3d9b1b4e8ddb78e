"""The HTTP API over real TLS, with the model that ships."""

from __future__ import annotations

import asyncio
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService, TokenIssuer
from sentiment_service.classifiers.base import LABELS
from sentiment_service.classifiers.loader import load_model
from sentiment_service.targets.model import RULES_VERSION

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one service for all tests that change nothing in it
Run = Callable[..., AbstractAsyncContextManager[RunningService]]
PRAISE = "Qué alegría tan grande, me encanta, felicitaciones a todos!"
OUTRAGE = "Qué asco de corrupción, son unos ladrones y mentirosos"
NOTICE = "La rueda de prensa es a las 10 en la sede"
UNSCORED = {"positive": 0.0, "neutral": 1.0, "negative": 0.0, "label": "neutral", "confidence": 1.0}


async def analyze(service: RunningService, texts: list[str], **fields: Any) -> dict[str, Any]:
    """Return ``data`` of a successful analysis."""
    answer = await service.client.post("/v1/sentiment/analyze", json={"texts": texts, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["ok"] is True
    data: dict[str, Any] = body["data"]
    return data


async def metric(service: RunningService, name: str) -> float:
    """Return the value of one sample on the management port, 0 when it is not there yet."""
    async with httpx.AsyncClient(trust_env=False) as client:
        lines = (await client.get(f"{service.management_url}/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == name)


async def test_analyze_answers_text_by_text(service: RunningService) -> None:
    """Each text gets probabilities that sum to 1, label and confidence; the summary counts them; the model is named."""
    data = await analyze(service, [PRAISE, OUTRAGE, NOTICE])
    assert set(data) == {"results", "summary", "model"}
    assert [(one["text"], one["label"]) for one in data["results"]] == [
        (PRAISE, "positive"), (OUTRAGE, "negative"), (NOTICE, "neutral"),
    ]  # fmt: skip
    for one in data["results"]:
        assert set(one) == {"text", *LABELS, "label", "confidence"}
        assert math.isclose(sum(one[label] for label in LABELS), 1, abs_tol=1e-9)
        assert one["confidence"] == one[one["label"]] == max(one[label] for label in LABELS)
    assert data["summary"] == {"total": 3, "positive": 1, "neutral": 1, "negative": 1}
    card = load_model("bundled").model
    assert data["model"] == {"id": card.id, "version": card.version}


async def test_batch_answers_item_by_item(service: RunningService) -> None:
    """Each item is answered under its id, in order, with the scores that analyze gives."""
    items = [{"id": "1521", "text": OUTRAGE}, {"id": "a:b-c", "text": PRAISE}, {"id": "3", "text": OUTRAGE}]
    answer = await service.client.post("/v1/sentiment/batch", json={"items": items, "lang": "auto"})
    data = answer.json()["data"]
    assert set(data) == {"results", "model"}
    assert [one["id"] for one in data["results"]] == ["1521", "a:b-c", "3"]
    scores = [{key: one[key] for key in (*LABELS, "label", "confidence")} for one in data["results"]]
    expected = (await analyze(service, [OUTRAGE, PRAISE]))["results"]
    for got, wanted in zip(scores, [expected[0], expected[1], expected[0]], strict=True):
        assert got == pytest.approx({key: wanted[key] for key in got}, abs=1e-9)


async def test_ids_may_repeat(service: RunningService) -> None:
    """Items are answered one by one in their order, also when two bear one id."""
    items = [{"id": "7", "text": PRAISE}, {"id": "8", "text": OUTRAGE}, {"id": "7", "text": OUTRAGE}]
    answer = await service.client.post("/v1/sentiment/batch", json={"items": items})
    results = answer.json()["data"]["results"]
    assert [result["id"] for result in results] == ["7", "8", "7"]
    assert results[0]["label"] != results[2]["label"] == results[1]["label"]


@pytest.mark.parametrize("lang", ["es", "auto"])
async def test_what_cannot_be_scored_is_neutral_with_a_reason(service: RunningService, lang: str) -> None:
    """Blank, wordless and foreign texts are neutral 0/1/0 and say why, whatever language the caller names."""
    texts = [
        "",
        " \n\t",
        "https://t.co/abc @ana 2022 !!!",
        "Das ist nicht gut für die Leute und auch für mich",
        "これはひどい",
    ]
    data = await analyze(service, [*texts, PRAISE], lang=lang)
    for one, word in zip(data["results"], ["no words"] * 3 + ["language"] * 2, strict=False):
        assert {key: one[key] for key in UNSCORED} == UNSCORED
        assert word in one["reason"]
    assert "reason" not in data["results"][-1]
    assert data["summary"] == {"total": 6, "positive": 1, "neutral": 5, "negative": 0}


@pytest.mark.parametrize(
    ("text", "label"),
    [("😡😡😡", "negative"), ("https://t.co/x ❤️", "positive"), ("@ana :-(", "negative"), ("👏👏👏", "positive")],
)
async def test_emoji_speak(service: RunningService, text: str, label: str) -> None:
    """A text of emoji or an emoticon alone is scored: they are the plainest of statements."""
    one = (await analyze(service, [text]))["results"][0]
    assert one["label"] == label
    assert "reason" not in one


@pytest.mark.parametrize(
    ("lang", "text", "label"),
    [
        ("en", "I am so happy today, thank you all, this is great", "positive"),
        ("pt", "Que tristeza esse governo, só mentira", "negative"),
        ("auto", "Que tristeza esse governo, só mentira", "negative"),
    ],
)
async def test_languages_of_the_model(service: RunningService, lang: str, text: str, label: str) -> None:
    """English and Portuguese are scored when named and when found out."""
    assert (await analyze(service, [text], lang=lang))["results"][0]["label"] == label


async def test_many_texts(service: RunningService) -> None:
    """A thousand texts, many of them equal, come back in order; equal texts with equal scores."""
    texts = [f"{(PRAISE, OUTRAGE, NOTICE)[n % 3]} {n % 50}" for n in range(1000)]
    data = await analyze(service, texts)
    assert [one["text"] for one in data["results"]] == texts
    assert len({(one["text"], one["positive"]) for one in data["results"]}) == len(set(texts)) == 150
    assert data["summary"] == {"total": 1000, **Counter(one["label"] for one in data["results"])}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"texts": ["a"] * 1001}, "body.texts"),
        ({"texts": []}, "body.texts"),
        ({"texts": ["a" * 10_001]}, "body.texts.0"),
        ({"texts": [7]}, "body.texts.0"),
        ({"texts": ["\ud83d"]}, "body.texts.0"),
        ({"texts": ["a"], "lang": "fr"}, "body.lang"),
        ({"texts": ["a"], "language": "es"}, "body.language"),
        ({}, "body.texts"),
    ],
)
async def test_wrong_requests(service: RunningService, body: dict[str, Any], field: str) -> None:
    """A request outside the contract is refused, and the answer names the field."""
    content = json.dumps(body)  # in ASCII, so that half a surrogate pair arrives as it would from a careless client
    headers = {"Content-Type": "application/json"}
    answer = await service.client.post("/v1/sentiment/analyze", content=content, headers=headers)
    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["details"]["fields"]]


@pytest.mark.parametrize(
    "text", ["a\x00b", "👩‍👩‍👧‍👦 ñandú \u202e", "x" * 10_000, "\ufeff¿Qué?", "&amp;amp; &#0;", "\n" * 500]
)
async def test_any_unicode_is_answered(service: RunningService, text: str) -> None:
    """Whatever characters a text has, it comes back unchanged with scores."""
    one = (await analyze(service, [text]))["results"][0]
    assert one["text"] == text
    assert one["label"] in LABELS


async def test_the_model_describes_itself(service: RunningService) -> None:
    """The model's card is the one in its folder, with what was measured."""
    data = (await service.client.get("/v1/sentiment/model")).json()["data"]
    card = load_model("bundled").model
    figures, files = data.pop("figures"), data.pop("files")
    assert {figure["by"] for figure in figures} == {"source", "genre", "country", "kind"}, (
        "the model that ships has a card.json, listed last in its manifest: training/README.md, section The card"
    )
    assert [len(figures), len(files)] == [len(card.record.figures), len(card.record.files)]
    assert data.pop("reads_targets") == (load_model("bundled").target_reader is not None)
    assert data == {
        "id": card.id, "version": card.version, "languages": list(card.languages), "labels": list(card.labels),
        "unmeasured_languages": ["en", "pt"], "rules": RULES_VERSION,
        "held_out": dict(card.held_out), "calibration": dict(card.calibration),
    }  # fmt: skip


async def test_the_scope_is_needed(service: RunningService, issuer: TokenIssuer) -> None:
    """Without a token there is no answer, and without the scope neither."""
    for token, status in ((None, 401), (issuer.user_token(["tweets:read"]), 403)):
        headers = {"Authorization": f"Bearer {token}"} if token else {"Authorization": ""}
        for method, path in (("POST", "analyze"), ("POST", "batch"), ("GET", "model")):
            answer = await service.client.request(
                method, f"/v1/sentiment/{path}", headers=headers, json={"texts": ["a"]}
            )
            assert answer.status_code == status, path


async def test_overload_is_shed_and_the_accepted_finish(run: Run) -> None:
    """Above the bound requests get 429 with Retry-After at once, those accepted are all answered, and it heals."""
    async with run(queue_max_texts=300, batch_max_tokens=1000) as service:
        before = await metric(service, "castor_sentiment_shed_texts_total")

        async def one(number: int) -> httpx.Response:
            texts = [f"{OUTRAGE} {number} {n}" for n in range(200)]
            return await service.client.post("/v1/sentiment/analyze", json={"texts": texts})

        answers = await asyncio.gather(*(one(number) for number in range(8)))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[200] >= 1
        assert statuses[429] >= 1
        assert statuses[200] + statuses[429] == 8
        for answer in answers:
            if answer.status_code == 429:
                assert answer.json()["code"] == "overloaded"
                assert int(answer.headers["Retry-After"]) >= 1
            else:
                assert answer.json()["data"]["summary"]["total"] == 200
        assert await metric(service, "castor_sentiment_shed_texts_total") - before == 200 * statuses[429]
        assert await metric(service, "castor_sentiment_queue_texts") == 0
        assert (await one(99)).status_code == 200


async def test_metrics_count_what_was_answered(service: RunningService) -> None:
    """Texts, labels, confidences, batches and the model are on the management port."""
    names = [
        'castor_sentiment_texts_total{outcome="scored"}',
        'castor_sentiment_texts_total{outcome="unscored"}',
        'castor_sentiment_labels_total{label="negative"}',
        "castor_sentiment_confidence_count",
        "castor_sentiment_batch_texts_count",
        "castor_sentiment_inference_seconds_count",
    ]
    before = [await metric(service, name) for name in names]
    await analyze(service, [OUTRAGE, OUTRAGE, PRAISE, ""])
    after = [await metric(service, name) for name in names]
    assert [new - old for old, new in zip(before, after, strict=True)] == [3, 1, 2, 3, 1, 1]
    card = load_model("bundled").model
    assert await metric(service, f'castor_sentiment_model_info{{id="{card.id}",version="{card.version}"}}') == 1


def macro_f1(truth: list[str], answered: list[str]) -> float:
    """Return the mean F1 of the three labels."""
    pairs = Counter(zip(truth, answered, strict=True))
    wanted, given = Counter(truth), Counter(answered)
    return sum(2 * pairs[label, label] / (wanted[label] + given[label]) for label in LABELS) / len(LABELS)


async def test_accuracy_through_the_api(service: RunningService, validation_file: Path) -> None:
    """On Spanish tweets that it never saw, the API reaches a macro-F1 of at least .58 and leaves none unscored."""
    lines = validation_file.read_text(encoding="utf-8").splitlines()
    truth, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
    data = await analyze(service, list(texts))
    assert not [one for one in data["results"] if "reason" in one]
    assert macro_f1(list(truth), [one["label"] for one in data["results"]]) >= 0.62


async def test_how_much_of_a_long_text_was_read(service: RunningService) -> None:
    """A text that is too long to be read at once is scored to its end and says in how many parts it was read."""
    filler = NOTICE + ". "
    data = await analyze(service, [PRAISE, filler * 20 + f"{OUTRAGE}! " * 4])
    short, long = data["results"]
    assert "windows" not in short
    assert (long["windows"], long["label"]) == (24, "negative")


async def test_composition_and_style_change_no_score(service: RunningService) -> None:
    """A text in NFD has the scores of its NFC; words in mathematical letters are scored as words."""
    bold = "".join(chr(0x1D41A + ord(one) - ord("a")) if "a" <= one <= "z" else one for one in "que asco de gobierno")
    texts = [OUTRAGE, unicodedata.normalize("NFD", OUTRAGE), bold, "que asco de gobierno"]
    results = [{**one, "text": ""} for one in (await analyze(service, texts))["results"]]
    assert results[0] == results[1]
    assert results[2] == results[3]
    assert "reason" not in results[2]
