"""``python -m sentiment_service [serve|migrate|openapi]``."""

from castor_chassis import main
from sentiment_service.app import create_app
from sentiment_service.settings import SentimentSettings

if __name__ == "__main__":
    main("sentiment_service", SentimentSettings, create_app)
