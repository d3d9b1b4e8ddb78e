"""HTTP: one router a resource."""

TAGS = {
    "auth": "Sign in, sign out, sessions, API keys and the identities of service clients.",
    "accounts": "One's own account: profile, password, e-mail address, second factor, erasure.",
    "administration": "Other people's accounts and the audit log; for administrators.",
    "service-accounts": "Machine identities of other teams' services: OAuth 2.0 client credentials.",
    "oidc": "OpenID Connect: frontends send their users here to log in (authorization code with PKCE).",
    "services": "Tokens for services, and the public keys that verify every token.",
    "internal": "For services of CASTOR only; the ingress does not route these paths.",
}
"""The groups of routes in the contract, and what each is for."""
