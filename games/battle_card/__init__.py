"""The battle card game: two rows of cards bought from a purse fight by themselves."""
