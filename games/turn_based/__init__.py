"""Turn-based combat: a relay of duels between two squads whose skills were bought beforehand."""
