"""``python -m rag_service [serve|migrate|openapi]``."""

from castor_chassis import main
from rag_service.app import create_app
from rag_service.settings import RagSettings

if __name__ == "__main__":
    main("rag_service", RagSettings, create_app)
