"""The contest: turns, matches, tournaments and the record they leave.

The errors this project raises on purpose, each defined in the folder that raises it::

    ArenaError                 games.base
    ├── MoveError              games.base      a move's text is at fault: carries text, game, position, why
    │   ├── MalformedMove                      not in the notation at all
    │   ├── AmbiguousMove                      could be several moves; never chosen at random
    │   └── IllegalMove                        well-formed, not allowed here
    ├── PositionError          games.base      a text is no position of the game
    ├── HiddenState            games.adapters  a seat's own view was asked for what only the whole state can tell
    ├── SpecError              games.base      a game, agent, model or tournament is described wrongly
    │   └── NotationError      games.notation  a game in a file cannot be read or written; says which, and where
    ├── Resigned               agents.base     an agent gives the match up
    ├── BudgetExhausted        agents.budget   from a turnstile; carries the bound and what was used
    ├── ModelError             agents.models   infrastructure: the match is void, nobody loses
    ├── EngineError            agents.engines  infrastructure: the match is void, nobody loses
    ├── ConformanceError       games.conformance  a game or agent breaks a promise of its protocol
    ├── RecordMismatch         arena.replay    a recorded match disagrees with the rules
    └── RecordError            db.errors       the database is missing, unreadable, locked, newer or older
"""
