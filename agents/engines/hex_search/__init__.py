"""A Hex player by search: Monte Carlo tree search with RAVE, virtual connections, inferior cells, and proof."""
