"""What the login page and the pages that end a login or a session say, by language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """A page without a form."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; ``errors`` are by the code of the error, with ``{seconds}`` to wait."""

    title: str
    intro: str
    """With the name of the client and the site that the browser goes back to."""
    email: str
    password: str
    enter: str
    passkey: str
    code_intro: str
    code: str
    go_on: str
    errors: Mapping[str, str]
    other_error: str
    refused: Ending
    """No client to go back to can be named."""
    expired: Ending
    """The form is too old, or of another browser."""
    logged_out: Ending


_SPANISH = Texts(
    title="Iniciar sesión en CASTOR",
    intro="{client} pide que inicie sesión con su cuenta de CASTOR. Después volverá a {site}.",
    email="Correo electrónico",
    password="Contraseña",
    enter="Iniciar sesión",
    passkey="Usar una llave de acceso",
    code_intro="Escriba el código de su aplicación de autenticación, o uno de sus códigos de recuperación.",
    code="Código",
    go_on="Continuar",
    errors={
        "invalid_credentials": "El correo o la contraseña no son correctos. Revíselos e inténtelo de nuevo.",
        "invalid_code": "El código no es correcto o ya se usó. Espere el siguiente de su aplicación.",
        "invalid_mfa_token": "Pasó demasiado tiempo. Escriba de nuevo su correo y su contraseña.",
        "passkey_refused": "La llave de acceso no se aceptó. Inténtelo de nuevo, o use su contraseña.",
        "account_changed": "La cuenta cambió mientras iniciaba sesión. Inténtelo de nuevo.",
        "too_many_attempts": "Demasiados intentos fallidos. Espere {seconds} segundos e inténtelo de nuevo.",
        "rate_limited": "Demasiadas solicitudes. Espere {seconds} segundos e inténtelo de nuevo.",
    },
    other_error="El servicio no pudo atender la solicitud. Inténtelo de nuevo en unos segundos.",
    refused=Ending(
        "No es posible iniciar sesión",
        "La aplicación que lo envió aquí hizo una solicitud que no es válida. Avise a quien la mantiene.",
    ),
    expired=Ending(
        "La página caducó",
        "La página de inicio de sesión caducó. Vuelva a la aplicación e inicie sesión de nuevo.",
    ),
    logged_out=Ending("Sesión cerrada", "Su sesión en CASTOR terminó. Ya puede cerrar esta página."),
)
_ENGLISH = Texts(
    title="Sign in to CASTOR",
    intro="{client} asks you to sign in with your CASTOR account. You then return to {site}.",
    email="E-mail",
    password="Password",
    enter="Sign in",
    passkey="Use a passkey",
    code_intro="Enter the code of your authenticator app, or one of your recovery codes.",
    code="Code",
    go_on="Continue",
    errors={
        "invalid_credentials": "E-mail or password is wrong. Check them and try again.",
        "invalid_code": "The code is wrong or was used before. Wait for the next one of your app.",
        "invalid_mfa_token": "Too much time has passed. Enter your e-mail and password again.",
        "passkey_refused": "The passkey was not accepted. Try again, or use your password.",
        "account_changed": "The account changed during the login. Try again.",
        "too_many_attempts": "Too many failed attempts. Wait {seconds} seconds and try again.",
        "rate_limited": "Too many requests. Wait {seconds} seconds and try again.",
    },
    other_error="The service could not handle the request. Try again in a few seconds.",
    refused=Ending(
        "Signing in is not possible",
        "The application that sent you here made a request that is not valid. Tell whoever maintains it.",
    ),
    expired=Ending(
        "The page has expired",
        "The login page has expired. Go back to the application and sign in again.",
    ),
    logged_out=Ending("Signed out", "Your session in CASTOR has ended. You can close this page."),
)
TEXTS: Mapping[str, Texts] = {"es": _SPANISH, "en": _ENGLISH}
"""By the languages of ``oidc.requests.LANGUAGES``."""
