"""What the packages of an image are for, as programs that its container runs: leaving out of them must break none."""

from __future__ import annotations

_WITHOUT_AN_ENVIRONMENT = """
import subprocess
import sys
for module in {modules}:
    subprocess.run([sys.executable, "-c", f"import {{module}}"], env={{}}, check=True)
"""

USES = {
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
LinearClassifier.load()
""",
    "rag-service": _WITHOUT_AN_ENVIRONMENT.format(modules=["rag_service.files.reading_process"])
    + """
import asyncio
from rag_service.files.reading_process import ReadingProcess
assert asyncio.run(ReadingProcess(60).passages("text/plain", "Una frase sobre el metro de Bogotá.".encode()))
""",
    "twitter-service": _WITHOUT_AN_ENVIRONMENT.format(
        modules=["twitter_service.imports.parser", "twitter_service.imports.readers.workbook_process"]
    )
    + """
import io
import pyarrow
from pyarrow.parquet import ParquetWriter, read_table
table = pyarrow.table({"text": ["niño"], "likes": [3]})
with ParquetWriter(file := io.BytesIO(), table.schema, compression="zstd") as writer:
    writer.write_table(table)
assert read_table(io.BytesIO(file.getvalue())).equals(table)
""",
}
