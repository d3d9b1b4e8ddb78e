"""What the ledger keeps of prompts, where it is asked to: redacted, bounded, and erased again."""
