"""``python -m trending_service [serve|migrate|openapi]``."""

from castor_chassis import main
from trending_service.app import create_app
from trending_service.settings import TrendingSettings

if __name__ == "__main__":
    main("trending_service", TrendingSettings, create_app)
