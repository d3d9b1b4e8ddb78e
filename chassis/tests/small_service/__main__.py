"""``python -m small_service [serve|migrate|openapi]``."""

from castor_chassis import main
from small_service.app import SmallSettings, create_app

main("small_service", SmallSettings, create_app)
