"""The console as files, and the service that gives them out where no other server does."""

from importlib.resources import files
from pathlib import Path

__version__ = "0.1.0"

PACKAGE = Path(str(files(__package__)))
SITE = PACKAGE / "site"
"""The built console; ``console/src`` is its source."""
CADDY_ROUTES = PACKAGE / "site.caddy"
"""The same for Caddy: to be imported in a site; reads ``CONSOLE_SITE`` and ``CORS_ORIGINS``."""
