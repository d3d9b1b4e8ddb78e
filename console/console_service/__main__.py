"""``python -m console_service serve``."""

from castor_chassis import main
from console_service.app import create_app
from console_service.settings import ConsoleSettings

if __name__ == "__main__":
    main("console_service", ConsoleSettings, create_app)
