"""Terms of tweets, stored by time and counted in windows."""
