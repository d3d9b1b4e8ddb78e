"""HTTP of the OpenID Connect provider."""
