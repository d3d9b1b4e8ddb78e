"""What the packages of an image are for, as programs that its container runs: leaving out of them must break none."""

from __future__ import annotations

USES = {
    "auth-service": """
import asyncio
from auth_service.crypto.password_judge import PasswordJudge
async def judged():
    judge = PasswordJudge(60, 1)
    assert "most common" in await judge.why_weak("Manchester1986", "ana@example.com")
    await judge.close()
asyncio.run(judged())
""",
    "forecast-service": """
import io
import numpy
from matplotlib.figure import Figure
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother
from forecast_service.forecasts.methods import METHODS
series = numpy.sin(numpy.arange(60.0)) + numpy.arange(60.0) / 50
for name, method in METHODS.items():
    assert numpy.isfinite(method.fit(series, 7)(series, 14)).all(), name
figure = Figure()
figure.subplots().set_title("Intención de voto")
for kind in ("svg", "png"):
    figure.savefig(file := io.BytesIO(), format=kind)
    assert len(file.getvalue()) > 1000
""",
    "openai-service": """
from openai_service.embeddings.static_encoder import StaticEncoder
from openai_service.embeddings.transformer import TransformerEncoder
for kind in (StaticEncoder, TransformerEncoder):
    assert kind.load().encode(["¿Qué pasó en Bogotá?"]).shape[0] == 1
""",
    "sentiment-service": """
import huggingface_hub
import transformers
from sentiment_service.classifiers.linear import LinearClassifier
transformers.BertConfig, transformers.AutoTokenizer, transformers.PreTrainedTokenizerFast
huggingface_hub.snapshot_download
assert LinearClassifier.load().classify(["qué bien"])
""",
    "rag-service": """
import asyncio
from rag_service.files.reading_process import ReadingProcess
assert asyncio.run(ReadingProcess(60).passages("text/plain", "Una frase sobre el metro de Bogotá.".encode()))
""",
    "twitter-service": """
import asyncio
import io
from castor_chassis import ChildProcess
from twitter_service.imports import parser
from twitter_service.imports.readers import workbook_process
async def starts(module):
    process = ChildProcess(module.answering, seconds=60, memory_mb=512)
    await process.start()
    await process.close()
for module in (parser, workbook_process):
    asyncio.run(starts(module))
import pyarrow
from pyarrow.parquet import ParquetWriter, read_table
table = pyarrow.table({"text": ["niño"], "likes": [3]})
with ParquetWriter(file := io.BytesIO(), table.schema, compression="zstd") as writer:
    writer.write_table(table)
assert read_table(io.BytesIO(file.getvalue())).equals(table)
""",
}
