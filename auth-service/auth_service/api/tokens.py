"""Routes of the token endpoint (OAuth 2.0 client credentials) and of the published key set."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from auth_service.api.dependencies import R, client_form, count_guess, no_store, peer_certificate
from auth_service.api.schemas.tokens import JwksView, JwkView, OAuthErrorView, ServiceTokenView
from auth_service.credentials.service_tokens import ACCESS_TOKEN, API_KEY, EXCHANGE, TokenRequest
from auth_service.errors import OAuthError
from auth_service.tokens.grants import AUDIENCES
from castor_chassis import ErrorBody, public
from castor_chassis.tls import PeerIdentity

router = APIRouter(prefix="/v1/auth", tags=["services"])

_FIELDS = ("grant_type", "audience", "scope", "client_id", "client_secret", "subject_token", "subject_token_type")
_TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "audience"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials", EXCHANGE]},
                        "audience": {
                            "type": "string",
                            "enum": list(AUDIENCES),
                            "description": "The service to be called.",
                        },
                        "scope": {"type": "string", "description": "Space separated; absent: all that is granted."},
                        "client_id": {
                            "type": "string",
                            "description": "For clients with a secret; or HTTP Basic (RFC 6749 section 2.3.1).",
                        },
                        "client_secret": {"type": "string", "format": "password"},
                        "subject_token": {"type": "string", "description": "Of an exchange: the user's access token."},
                        "subject_token_type": {"type": "string", "enum": [ACCESS_TOKEN, API_KEY]},
                    },
                }
            }
        },
    }
}
_OAUTH_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthErrorView | ErrorBody, "description": "The request, the audience or the scope is refused."},
    401: {"model": OAuthErrorView | ErrorBody, "description": "The certificate names no service, or has expired."},
}


async def token_request(request: Request) -> TokenRequest:
    """Read the form; raises ``InvalidTokenRequest`` for a parameter given twice (RFC 6749 section 3.2)."""
    return TokenRequest(**await client_form(request, _FIELDS))


@router.post(
    "/token",
    responses=_OAUTH_ERRORS,
    response_model_exclude_none=True,
    openapi_extra=_TOKEN_FORM,
    dependencies=[Depends(public("certificate or secret are the proof")), Depends(no_store)],
)
async def issue_token(
    r: R,
    form: Annotated[TokenRequest, Depends(token_request)],
    peer: Annotated[PeerIdentity | None, Depends(peer_certificate)],
) -> ServiceTokenView:
    """Give a service a token for one other service, bound to its client certificate (RFC 6749, RFC 8705).

    By token exchange (RFC 8693) one that says on behalf of which user it calls, in place of the user's own token.
    """
    return ServiceTokenView.model_validate(await r.service_tokens.issue(form, peer))


@router.get("/jwks", dependencies=[Depends(public("public keys are public"))])
async def get_jwks(r: R, response: Response) -> JwksView:
    """Return the public keys that our tokens are verified with (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={r.jwks_cache_seconds}"
    return JwksView(keys=[JwkView.model_validate(key) for key in r.signing_keys.published()])


async def on_oauth_error(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an ``OAuthError`` (RFC 6749 section 5.2)."""
    assert isinstance(error, OAuthError)
    count_guess(request, error)
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
    if error.status == 401:
        is_basic = request.headers.get("authorization", "").lower().startswith("basic ")
        headers["WWW-Authenticate"] = 'Basic realm="castor"' if is_basic else "Bearer"
    return JSONResponse({"error": error.code, "error_description": error.description}, error.status, headers)


def document_service_tokens(app: FastAPI) -> None:
    """Add to the contract an OAuth 2.0 security scheme with the token URL of services."""
    scheme = {
        "type": "oauth2",
        "description": "Tokens that services call one another with, bound to the caller's certificate (RFC 8705).",
        "flows": {"clientCredentials": {"tokenUrl": "/v1/auth/token", "scopes": {}}},
    }
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        contract = plain()
        contract["components"]["securitySchemes"]["ServiceToken"] = scheme
        return contract

    app.openapi = openapi  # type: ignore[method-assign]
