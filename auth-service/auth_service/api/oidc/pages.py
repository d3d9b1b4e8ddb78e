"""The pages that browsers are shown: plain HTML in Spanish; the one script asks an authenticator for a passkey."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse

from auth_service.oidc.authorization import LoginPage
from castor_chassis import ServiceError

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:24rem;margin:10vh auto;padding:0 1rem}"
    "h1{font-size:1.4rem}label{display:block;margin:1rem 0 .3rem}"
    "input{width:100%;box-sizing:border-box;padding:.6rem;font-size:1rem;border:1px solid #767676;border-radius:4px}"
    "button{margin-top:1.5rem;width:100%;padding:.7rem;font-size:1rem;border:0;border-radius:4px}"
    "button{background:#0b4f8a;color:#fff}body{color:#1a1a1a;background:#fff}"
    "#passkey button{background:#fff;color:#0b4f8a;border:1px solid #0b4f8a}"
    ".error{padding:.7rem;border-left:4px solid #a61b1b;background:#fdeeee}"
)
_PAGE = (
    '<!doctype html><html lang="es"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head>'
    "<body><main><h1>{title}</h1>{content}</main></body></html>"
)
# Shown only where the browser can; without an answer of the authenticator the password form stays as it is.
_SCRIPT = (
    'const form=document.getElementById("passkey");'
    "if(window.PublicKeyCredential&&PublicKeyCredential.parseRequestOptionsFromJSON){form.hidden=false;"
    'form.addEventListener("submit",async event=>{event.preventDefault();'
    "try{const publicKey=PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(form.dataset.options));"
    "form.elements.credential.value=JSON.stringify((await navigator.credentials.get({publicKey})).toJSON());"
    "form.submit()}catch(error){console.warn(error.name)}})}"
)
_PASSKEY_FORM = (
    '<form method="post" action="/v1/auth/oidc/login/passkey" id="passkey" data-options="{options}" hidden>{hidden}'
    '<input type="hidden" name="credential" value=""><button>Usar una llave de acceso</button></form>'
    "<script>{script}</script>"
)
_PASSWORD_FORM = (
    "<p>{client} pide que inicie sesión con su cuenta de CASTOR. Después volverá a {site}.</p>{error}"
    '<form method="post" action="/v1/auth/oidc/login">{hidden}'
    '<label for="email">Correo electrónico</label><input id="email" name="email" type="email" value="{email}" '
    'autocomplete="username" maxlength="254" required>'
    '<label for="password">Contraseña</label><input id="password" name="password" type="password" '
    'autocomplete="current-password" maxlength="512" required><button>Iniciar sesión</button></form>'
)
_CODE_FORM = (
    "<p>Escriba el código de su aplicación de autenticación, o uno de sus códigos de recuperación.</p>{error}"
    '<form method="post" action="/v1/auth/oidc/login/mfa">{hidden}'
    '<label for="code">Código</label><input id="code" name="code" autocomplete="one-time-code" maxlength="40" required '
    "autofocus><button>Continuar</button></form>"
)
_ERRORS = {
    "invalid_credentials": "El correo o la contraseña no son correctos. Revíselos e inténtelo de nuevo.",
    "invalid_code": "El código no es correcto o ya se usó. Espere el siguiente de su aplicación.",
    "invalid_mfa_token": "Pasó demasiado tiempo. Escriba de nuevo su correo y su contraseña.",
    "passkey_refused": "La llave de acceso no se aceptó. Inténtelo de nuevo, o use su contraseña.",
    "account_changed": "La cuenta cambió mientras iniciaba sesión. Inténtelo de nuevo.",
    "too_many_attempts": "Demasiados intentos fallidos. Espere {seconds} segundos e inténtelo de nuevo.",
    "rate_limited": "Demasiadas solicitudes. Espere {seconds} segundos e inténtelo de nuevo.",
}
_OTHERWISE = "El servicio no pudo atender la solicitud. Inténtelo de nuevo en unos segundos."


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _security_headers(form_goes_to: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src {_hash_of(_STYLE)}; script-src {_hash_of(_SCRIPT)}; "
        f"form-action {form_goes_to}; frame-ancestors 'none'; base-uri 'none'",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _page(title: str, content: str, status: int, form_goes_to: str = "'none'") -> HTMLResponse:
    page = _PAGE.format(title=escape(title), style=_STYLE, content=content)
    return HTMLResponse(page, status, headers=_security_headers(form_goes_to))


def _hidden(**fields: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _error(error: ServiceError | None) -> str:
    if error is None:
        return ""
    text = _ERRORS.get(error.code, _OTHERWISE).format(seconds=round(error.retry_after_seconds or 1))
    return f'<p class="error" role="alert">{text}</p>'


def login_page(page: LoginPage) -> HTMLResponse:
    """Return the form for the password, or for the code; 200, or the status of the error it shows."""
    back = urlsplit(page.redirect_uri)
    site = f"{back.scheme}://{back.netloc}"
    fields = {"request": page.request, **({"mfa_token": page.mfa_token} if page.mfa_token else {})}
    form = (_CODE_FORM if page.mfa_token else _PASSWORD_FORM).format(
        client=escape(page.client.name),
        site=escape(site),
        email=escape(page.email),
        hidden=_hidden(**fields),
        error=_error(page.error),
    )
    if not page.mfa_token:
        form += _passkey_form(page)
    # Browsers hold the redirect that answers a form against form-action as well.
    response = _page("Iniciar sesión en CASTOR", form, page.error.status if page.error else 200, f"'self' {site}")
    if page.error is not None:
        response.headers.update(page.error.headers())
    return response


def _passkey_form(page: LoginPage) -> str:
    options = escape(json.dumps(page.passkey.options))
    hidden = _hidden(request=page.request, token=page.passkey.token)
    return _PASSKEY_FORM.format(options=options, hidden=hidden, script=_SCRIPT)


def refusal_page(description: str) -> HTMLResponse:
    """Return the page for a request that names no client to go back to."""
    text = "La aplicación que lo envió aquí hizo una solicitud que no es válida. Avise a quien la mantiene."
    return _page("No es posible iniciar sesión", f"<p>{text}</p><p><code>{escape(description)}</code></p>", 400)


def expired_page() -> HTMLResponse:
    """Return the page for a form that is too old or belongs to another browser."""
    text = "La página de inicio de sesión caducó. Vuelva a la aplicación e inicie sesión de nuevo."
    return _page("La página caducó", f"<p>{text}</p>", 400)


def logged_out_page() -> HTMLResponse:
    """Return the page after a logout that goes nowhere."""
    return _page("Sesión cerrada", "<p>Su sesión en CASTOR terminó. Ya puede cerrar esta página.</p>", 200)
