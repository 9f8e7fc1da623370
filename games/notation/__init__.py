"""Games as text: PGN, SGF for Hex, and move lists for any game. Readers and writers of one frozen value, pure."""
