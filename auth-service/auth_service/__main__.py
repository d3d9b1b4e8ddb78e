from auth_service.app import create_app
from auth_service.audit.command import verify_audit
from auth_service.rewrapping.command import rewrap_secrets
from auth_service.settings import AuthSettings
from auth_service.tokens.command import rotate_keys
from castor_chassis import main

COMMANDS = {"verify-audit": verify_audit, "rotate-keys": rotate_keys, "rewrap-secrets": rewrap_secrets}

if __name__ == "__main__":
    main("auth_service", AuthSettings, create_app, COMMANDS)
