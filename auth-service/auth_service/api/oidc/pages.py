"""The pages that browsers are shown: plain HTML; the one script asks an authenticator for a passkey."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse

from auth_service.api.oidc.texts import TEXTS, Ending, Texts
from auth_service.oidc.authorization import LoginPage
from castor_chassis import ServiceError

# The colours are the console's.
_STYLE = (
    ":root{color-scheme:light dark;--page:#f4f5f7;--surface:#fff;--line:#d9dee5;--control:#7a8594;--ink:#1a1f29;"
    "--accent:#2b4c9b;--on-accent:#fff;--error:#8f1d1d;--error-ground:#fdecec}"
    "@media(prefers-color-scheme:dark){:root{--page:#0b0e12;--surface:#12161c;--line:#2a313b;--control:#6c7785;"
    "--ink:#e8ebf0;--accent:#8fb0ff;--on-accent:#0b0e12;--error:#ffb4ab;--error-ground:#3b1414}}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--page)}"
    "main{max-width:22rem;margin:12vh auto;padding:1.5rem;background:var(--surface);border:1px solid var(--line);"
    "border-radius:8px}h1{font-size:1.4rem;margin:0}label{display:block;margin:1rem 0 .3rem}"
    "input{width:100%;box-sizing:border-box;padding:.6rem;font:inherit;color:inherit;background:var(--surface);"
    "border:1px solid var(--control);border-radius:6px}"
    "button{margin-top:1.5rem;width:100%;padding:.7rem;font:inherit;font-weight:600;border:1px solid var(--accent);"
    "border-radius:6px;background:var(--accent);color:var(--on-accent)}"
    "#passkey button{margin-top:.75rem;background:none;color:var(--accent)}"
    ".error{padding:.7rem;border-radius:6px;background:var(--error-ground);color:var(--error)}"
    ":focus-visible{outline:2px solid var(--accent);outline-offset:2px}code{overflow-wrap:anywhere}"
)
_PAGE = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
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
    '<input type="hidden" name="credential" value=""><button>{says.passkey}</button></form>'
    "<script>{script}</script>"
)
_PASSWORD_FORM = (
    "<p>{intro}</p>{error}"
    '<form method="post" action="/v1/auth/oidc/login">{hidden}'
    '<label for="email">{says.email}</label><input id="email" name="email" type="email" value="{email}" '
    'autocomplete="username" maxlength="254" required>'
    '<label for="password">{says.password}</label><input id="password" name="password" type="password" '
    'autocomplete="current-password" maxlength="512" required><button>{says.enter}</button></form>'
)
_CODE_FORM = (
    "<p>{says.code_intro}</p>{error}"
    '<form method="post" action="/v1/auth/oidc/login/mfa">{hidden}'
    '<label for="code">{says.code}</label><input id="code" name="code" autocomplete="one-time-code" maxlength="40" '
    "required autofocus><button>{says.go_on}</button></form>"
)


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


def _page(title: str, content: str, status: int, *, language: str, form_goes_to: str = "'none'") -> HTMLResponse:
    page = _PAGE.format(title=escape(title), style=_STYLE, content=content, language=language)
    return HTMLResponse(page, status, headers=_security_headers(form_goes_to))


def _hidden(**fields: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _error(error: ServiceError | None, says: Texts) -> str:
    if error is None:
        return ""
    text = says.errors.get(error.code, says.other_error).format(seconds=round(error.retry_after_seconds or 1))
    return f'<p class="error" role="alert">{text}</p>'


def login_page(page: LoginPage) -> HTMLResponse:
    """Return the form for the password, or for the code; 200, or the status of the error it shows."""
    says = TEXTS[page.language]
    back = urlsplit(page.redirect_uri)
    site = f"{back.scheme}://{back.netloc}"
    fields = {"request": page.request, **({"mfa_token": page.mfa_token} if page.mfa_token else {})}
    form = (_CODE_FORM if page.mfa_token else _PASSWORD_FORM).format(
        says=says,
        intro=says.intro.format(client=escape(page.client.name), site=escape(site)),
        email=escape(page.email),
        hidden=_hidden(**fields),
        error=_error(page.error, says),
    )
    if not page.mfa_token:
        form += _passkey_form(page, says)
    # Browsers hold the redirect that answers a form against form-action as well.
    status = page.error.status if page.error else 200
    response = _page(says.title, form, status, language=page.language, form_goes_to=f"'self' {site}")
    if page.error is not None:
        response.headers.update(page.error.headers())
    return response


def _passkey_form(page: LoginPage, says: Texts) -> str:
    options = escape(json.dumps(page.passkey.options))
    hidden = _hidden(request=page.request, token=page.passkey.token)
    return _PASSKEY_FORM.format(says=says, options=options, hidden=hidden, script=_SCRIPT)


def refusal_page(description: str, language: str) -> HTMLResponse:
    """Return the page for a request that names no client to go back to."""
    return _ending(TEXTS[language].refused, 400, language, f"<p><code>{escape(description)}</code></p>")


def expired_page(language: str) -> HTMLResponse:
    """Return the page for a form that is too old or belongs to another browser."""
    return _ending(TEXTS[language].expired, 400, language)


def logged_out_page(language: str) -> HTMLResponse:
    """Return the page after a logout that goes nowhere."""
    return _ending(TEXTS[language].logged_out, 200, language)


def _ending(says: Ending, status: int, language: str, more: str = "") -> HTMLResponse:
    return _page(says.title, f"<p>{says.text}</p>{more}", status, language=language)
