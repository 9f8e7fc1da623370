"""The schema's history; run by `stratarena db upgrade`."""
