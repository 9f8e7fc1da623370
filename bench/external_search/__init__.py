"""The study of external search: who plays, how, and the page about it; `bench/study_external_search.py` runs it."""
