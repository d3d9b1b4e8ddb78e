from auth_service.app import create_app
from auth_service.audit.command import verify_audit
from auth_service.settings import AuthSettings
from auth_service.tokens.command import rotate_keys
from castor_chassis import main

if __name__ == "__main__":
    main("auth_service", AuthSettings, create_app, {"verify-audit": verify_audit, "rotate-keys": rotate_keys})
