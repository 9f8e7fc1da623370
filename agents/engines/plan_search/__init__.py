"""Best answers to a plan: exact where the game can be searched, the best found by climbing elsewhere."""
