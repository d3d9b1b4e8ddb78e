"""What calls cost: prices, budgets, reservations, the ledger."""
