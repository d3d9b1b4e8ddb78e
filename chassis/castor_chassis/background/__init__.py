"""Background work: supervised workers, leases, the feed follower."""
