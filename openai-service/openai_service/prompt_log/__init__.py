"""The prompt log: texts of chat requests that the ledger keeps where it is asked to."""
