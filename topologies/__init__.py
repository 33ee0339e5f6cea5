"""What is built: the hardware catalog, the plant of a scenario and its free-capacity index."""
