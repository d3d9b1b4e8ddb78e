"""Wire models: the source of the contract."""
