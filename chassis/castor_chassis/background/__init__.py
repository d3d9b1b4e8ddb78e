"""Background work: supervised workers, leases, wake-ups, group commit, shared calls, the feed follower."""
