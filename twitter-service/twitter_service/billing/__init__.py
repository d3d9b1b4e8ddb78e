"""What reading X costs: budget and ledger."""
