"""Replays for the browser: the document of a match, the page around it, and the server that shows it live."""
