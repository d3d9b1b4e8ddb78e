"""``python -m twitter_service [serve|migrate|openapi]``."""

from castor_chassis import main
from twitter_service.app import create_app
from twitter_service.settings import TwitterSettings

if __name__ == "__main__":
    main("twitter_service", TwitterSettings, create_app)
