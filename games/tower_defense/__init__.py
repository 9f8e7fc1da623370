"""Tower defense: humans that stand against demons that walk, both bought from a purse."""
