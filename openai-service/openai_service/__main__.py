"""``python -m openai_service [serve|migrate|openapi]``."""

from castor_chassis import main
from openai_service.app import create_app
from openai_service.settings import OpenAISettings

if __name__ == "__main__":
    main("openai_service", OpenAISettings, create_app)
