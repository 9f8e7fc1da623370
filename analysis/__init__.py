"""The reading: pure functions over records, then pictures, then pages."""
