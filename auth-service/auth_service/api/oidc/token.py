"""Routes of OpenID Connect clients: token, userinfo and logout."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from auth_service.api.dependencies import From, R, by_user, client_form, no_store
from auth_service.api.oidc import pages
from auth_service.api.oidc.authorize import SESSION_COOKIE, forget_browser
from auth_service.api.oidc.schemas import AccountTokenView, ClientTokensView, UserInfoView
from auth_service.api.schemas.tokens import OAuthErrorView
from auth_service.errors import LogoutRefused, UserNotFound
from auth_service.oidc.id_tokens import identity_claims
from auth_service.oidc.requests import language_of
from auth_service.oidc.tokens import CodeRequest
from auth_service.service_accounts.model import ClientProof
from auth_service.service_accounts.public_keys import ASSERTION_TYPE
from castor_chassis import ErrorBody, Pattern, Principal, errors_of, public

router = APIRouter(prefix="/v1/auth/oidc", tags=["oidc"])
_CODE = ("grant_type", "client_id", "code", "redirect_uri", "code_verifier", "refresh_token")
_PROOF = ("client_id", "client_secret", "client_assertion_type", "client_assertion")
_NAMES = tuple(dict.fromkeys((*_CODE, *_PROOF, "scope")))
ID_TOKEN = Pattern(
    r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$", "must be an ID token: three parts of letters, digits, - and _"
)
LANGUAGE_TAGS = Pattern(r"^[A-Za-z0-9 -]*$", "must be language tags, such as es-CO, with spaces between them")
_TEXT = {"type": "string"}
_TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        **dict.fromkeys(_NAMES, _TEXT),
                        "grant_type": {
                            "type": "string",
                            "enum": ["authorization_code", "refresh_token", "client_credentials"],
                        },
                        "client_id": {
                            "type": "string",
                            "description": "Of a service account also by HTTP Basic, or by the assertion.",
                        },
                        "client_secret": {"type": "string", "format": "password"},
                        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
                        "client_assertion": {
                            "type": "string",
                            "description": "A JWT signed with a registered key (RFC 7523), by RS256 or ES256: iss "
                            "and sub are the client_id, aud is the issuer or this endpoint, exp is within an hour, and "
                            "a jti counts once.",
                        },
                        "scope": {
                            "type": "string",
                            "description": "Of client_credentials: space separated; absent: all that the account may.",
                        },
                    },
                }
            }
        },
    }
}
_OAUTH_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OAuthErrorView | ErrorBody, "description": text}
    for status, text in (
        (400, "The code or the refresh token does not hold."),
        (401, "The client is unknown, or does not prove itself."),
    )
}


async def any_origin(response: Response) -> None:
    """Let pages of any origin read the answer: what it takes to get one is in the request, never in a cookie."""
    response.headers["Access-Control-Allow-Origin"] = "*"


async def token_form(request: Request) -> dict[str, str]:
    """Read the form; raises ``InvalidTokenRequest`` for a parameter given twice."""
    return await client_form(request, _NAMES)


@router.post(
    "/token",
    response_model_exclude_none=True,
    responses=_OAUTH_ERRORS,
    openapi_extra=_TOKEN_FORM,
    dependencies=[Depends(public("the code is the proof")), Depends(no_store), Depends(any_origin)],
)
async def exchange_code(
    r: R, form: Annotated[dict[str, str], Depends(token_form)], client: From
) -> ClientTokensView | AccountTokenView:
    """Exchange a code or a refresh token, once, for tokens (RFC 6749, RFC 7636); give a service account its token."""
    if form["grant_type"] == "client_credentials":
        proof = ClientProof(**{name: form[name] for name in _PROOF})
        made = await r.service_account_tokens.issue(proof, form["scope"], client)
        return AccountTokenView.model_validate(made)
    found = await r.client_tokens.exchange(CodeRequest(**{name: form[name] for name in _CODE}), client)
    pair = found.pair
    return ClientTokensView(
        access_token=pair.access_token,
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
        id_token=found.id_token,
    )


@router.get(
    "/userinfo",
    response_model_exclude_none=True,
    responses=errors_of(UserNotFound),
    dependencies=[Depends(no_store), Depends(any_origin)],
)
async def user_info(r: R, owner: Annotated[Principal, Depends(by_user("openid"))]) -> UserInfoView:
    """Return what the scopes of an OpenID Connect client's token let it know of its user."""
    user = await r.users.get(owner.subject)
    return UserInfoView(sub=owner.subject, **identity_claims(user, owner.scopes))


@router.get(
    "/logout",
    response_class=Response,
    responses={
        **errors_of(LogoutRefused),
        200: {"description": "A page that says so.", "content": {"text/html": {"schema": _TEXT}}},
        303: {"description": "Back to the client."},
    },
    dependencies=[Depends(public("the ID token is the proof", refuse_unknown=False))],
)
async def log_out_of_client(
    request: Request,
    r: R,
    client: From,
    id_token_hint: Annotated[str, Query(max_length=8192), ID_TOKEN],
    post_logout_redirect_uri: Annotated[str | None, Query(max_length=500)] = None,
    state: Annotated[str | None, Query(max_length=2048)] = None,
    ui_locales: Annotated[
        Annotated[str, LANGUAGE_TAGS] | None, Query(max_length=100, description="Of the page; it has es and en.")
    ] = None,
) -> Response:
    """End the session of an ID token and the single sign-on of its user in this browser, and send the browser back.

    OpenID Connect RP-Initiated Logout.
    """
    browser_session = request.cookies.get(SESSION_COOKIE)
    where = await r.id_tokens.log_out(id_token_hint, post_logout_redirect_uri, state, browser_session, client)
    no_cache = {"Cache-Control": "no-store"}
    language = language_of(ui_locales or "", request.headers.get("accept-language", ""))
    response = pages.logged_out_page(language) if where is None else RedirectResponse(where, 303, headers=no_cache)
    forget_browser(response)
    return response
