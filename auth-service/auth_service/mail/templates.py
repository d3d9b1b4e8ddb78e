"""The texts of mails, in Spanish."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from auth_service.mail.sender import Message

_TEXTS: dict[str, tuple[str, str]] = {
    "confirm_registration": (
        "Confirme su registro en CASTOR",
        "Alguien, esperamos que usted, se registró en CASTOR con esta dirección.\n\n"
        "Para activar la cuenta use este código junto con la contraseña que eligió:\n\n{code}\n\n"
        "Vence en {hours} horas. Si no fue usted, no haga nada: sin el código no se crea ninguna cuenta.",
    ),
    "address_taken": (
        "Usted ya tiene una cuenta en CASTOR",
        "Alguien intentó registrarse en CASTOR con esta dirección, que ya tiene una cuenta.\n\n"
        "Si fue usted, inicie sesión o pida restablecer la contraseña. Si no, no haga nada: nada cambió.",
    ),
    "password_reset": (
        "Restablezca su contraseña de CASTOR",
        "Se pidió restablecer la contraseña de su cuenta. Use este código, una sola vez:\n\n{code}\n\n"
        "Vence en {minutes} minutos. Si no lo pidió usted, no haga nada: su contraseña sigue siendo la misma.",
    ),
    "email_change": (
        "Confirme su nueva dirección en CASTOR",
        "Use este código para que su cuenta de CASTOR use esta dirección:\n\n{code}\n\n"
        "Vence en {minutes} minutos. Si no lo pidió usted, no haga nada.",
    ),
    "email_change_asked": (
        "Se pidió cambiar la dirección de su cuenta de CASTOR",
        "Se pidió que su cuenta use otra dirección. Si no fue usted, cambie su contraseña ahora{and_passkeys}.",
    ),
    "email_changed": (
        "La dirección de su cuenta de CASTOR cambió",
        "Su cuenta usa ahora otra dirección. Si no fue usted, escriba al administrador ahora.",
    ),
    "password_changed": (
        "Su contraseña de CASTOR cambió",
        "La contraseña de su cuenta cambió y todas las sesiones terminaron. Si no fue usted, restablézcala ahora.\n\n"
        "Claves de API que siguen vigentes: {keys}. Llaves de acceso (passkeys) que siguen vigentes: {passkeys}. "
        "Quite las que no reconozca.",
    ),
    "mfa_changed": (
        "La verificación en dos pasos de su cuenta de CASTOR cambió",
        "Se activó, se desactivó o se renovó la verificación en dos pasos de su cuenta. "
        "Si no fue usted, cambie su contraseña ahora{and_passkeys}.",
    ),
    "passkey_added": (
        "Se agregó una llave de acceso a su cuenta de CASTOR",
        "Se agregó una llave de acceso (passkey) a su cuenta: con ella se entra sin contraseña ni verificación en dos "
        "pasos. "
        "Si no fue usted, cambie su contraseña ahora{and_passkeys}; cambiar solo la contraseña no la quita.",
    ),
    "sign_in_after_failures": (
        "Inicio de sesión en CASTOR tras varios intentos fallidos",
        "Alguien entró a su cuenta después de varios intentos con una contraseña errada. "
        "Si no fue usted, cambie su contraseña ahora{and_passkeys}.",
    ),
    "api_key_created": (
        "Se creó una clave de API en su cuenta de CASTOR",
        "Se creó la clave de API {keys} en su cuenta. Si no fue usted, revóquela y cambie su contraseña ahora.",
    ),
    "new_device": (
        "Inicio de sesión en CASTOR desde un dispositivo nuevo",
        "Alguien entró a su cuenta desde un dispositivo que no se había usado antes. "
        "Si no fue usted, cambie su contraseña ahora{and_passkeys}.",
    ),
    "roles_changed": (
        "Los permisos de su cuenta de CASTOR cambiaron",
        "Un administrador cambió los permisos de su cuenta y todas las sesiones terminaron. "
        "Si no lo esperaba, escríbale a su administrador.",
    ),
    "account_suspended": (
        "Su cuenta de CASTOR fue suspendida",
        "Un administrador suspendió su cuenta. Si cree que es un error, respóndale a su administrador.",
    ),
}
KINDS = frozenset(_TEXTS)
_AND_PASSKEYS = " y pida al cambiarla que se quiten también las llaves de acceso (passkeys) de la cuenta"


def message(
    kind: str,
    to: str,
    token: str | None = None,
    *,
    valid_for: timedelta = timedelta(),
    keys: str = "",
    passkeys: str = "0",
) -> Message:
    """Return the message of ``kind``; its token is valid for ``valid_for``.

    ``keys`` are the API keys and ``passkeys`` the number of passkeys that it names.
    """
    subject, text = _TEXTS[kind]
    minutes = valid_for.total_seconds() / 60
    times = {"minutes": round(minutes), "hours": round(minutes / 60)}
    body = text.format(code=token, keys=keys or "ninguna", passkeys=passkeys, and_passkeys=_AND_PASSKEYS, **times)
    return Message(kind, to, subject, f"{body}\n\nCASTOR\n", SecretStr(token) if token is not None else None)
