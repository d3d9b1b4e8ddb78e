"""The servers of the stack: PostgreSQL, Valkey, the seven services, the ingress."""
