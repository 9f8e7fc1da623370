"""Bridges to other libraries of games. Edges only: each is imported when a game of it is asked for."""
