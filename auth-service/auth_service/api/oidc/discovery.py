"""Routes by which clients and other resource servers find the provider and its keys."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from auth_service.api.dependencies import R
from auth_service.api.oidc.schemas import ProviderView
from auth_service.api.schemas.tokens import JwksView, JwkView
from auth_service.tokens.assurance import SECOND_FACTOR, SINGLE_FACTOR
from auth_service.tokens.issuer import IDENTITY_SCOPES
from auth_service.users.roles import Scope
from castor_chassis import public

router = APIRouter(prefix="/.well-known", tags=["oidc"])
BASE = "/v1/auth/oidc"
TOKEN_PATH = f"{BASE}/token"
_CLAIMS = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr", "sid"]
_IDENTITY = ["email", "email_verified", "given_name", "family_name", "updated_at"]


async def cacheable(r: R, response: Response) -> None:
    """Let caches keep what anybody may read, and pages of any origin read it."""
    response.headers["Cache-Control"] = f"public, max-age={r.jwks_cache_seconds}"
    response.headers["Access-Control-Allow-Origin"] = "*"


@router.get("/openid-configuration", dependencies=[Depends(public("clients begin here")), Depends(cacheable)])
async def openid_configuration(r: R) -> ProviderView:
    """Return the metadata of the OpenID Connect provider."""
    issuer = r.authorization.issuer
    return ProviderView(
        issuer=issuer,
        authorization_endpoint=f"{issuer}{BASE}/authorize",
        token_endpoint=f"{issuer}{TOKEN_PATH}",
        userinfo_endpoint=f"{issuer}{BASE}/userinfo",
        end_session_endpoint=f"{issuer}{BASE}/logout",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        scopes_supported=sorted(IDENTITY_SCOPES | {str(scope) for scope in Scope}),
        acr_values_supported=[SINGLE_FACTOR, SECOND_FACTOR],
        claims_supported=_CLAIMS + _IDENTITY,
    )


@router.get("/jwks.json", dependencies=[Depends(public("public keys are public")), Depends(cacheable)])
async def well_known_jwks(r: R) -> JwksView:
    """Return the public keys that our tokens are verified with (RFC 7517)."""
    return JwksView(keys=[JwkView.model_validate(key) for key in r.signing_keys.published()])
