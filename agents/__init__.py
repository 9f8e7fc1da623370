"""The thinking: agents as generators of steps, and the seams behind which models and engines stand."""
