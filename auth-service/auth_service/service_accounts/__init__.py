"""Service accounts: machine identities of other teams' services, which get tokens by OAuth 2.0 client credentials."""
