"""The record of an account, and the table it is stored in."""
