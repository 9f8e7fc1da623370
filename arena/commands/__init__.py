"""What each command does. The composition root: the only modules of the arena that reach into the store and analysis."""
