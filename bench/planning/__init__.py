"""The parts of the planning study."""
