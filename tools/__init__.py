"""What builds and checks the repository itself; no service imports it."""
