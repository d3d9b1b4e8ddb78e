"""``python -m sentiment_service [serve|migrate|openapi]``, and ``export`` where torch is installed."""

import sys

from castor_chassis import main
from sentiment_service.app import create_app
from sentiment_service.classifiers.export import main as export
from sentiment_service.settings import SentimentSettings

if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        export(sys.argv[2:])
    else:
        main("sentiment_service", SentimentSettings, create_app)
