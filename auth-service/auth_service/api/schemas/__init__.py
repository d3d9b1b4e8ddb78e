"""Wire models, one module a resource: the source of the contract."""
