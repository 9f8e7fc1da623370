"""A language model of games of our own: what it reads and writes, how it is trained, and how it plays.

Read `reading` first (boards read as blocks), then `traces` (searches written as text), then `training`. torch and
transformers are imported only by what runs the network.
"""
