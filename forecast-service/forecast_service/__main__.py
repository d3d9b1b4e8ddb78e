"""``python -m forecast_service [serve|migrate|openapi]``."""

from castor_chassis import main
from forecast_service.app import create_app
from forecast_service.settings import ForecastSettings

if __name__ == "__main__":
    main("forecast_service", ForecastSettings, create_app)
