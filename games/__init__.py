"""The rules: pure functions on frozen states. Imports nothing of ours."""
