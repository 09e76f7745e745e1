"""One save, one run, nothing stale: the engine, its events, and what they add up to."""
