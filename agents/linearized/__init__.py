"""Search inside the model: a tree written out in one answer, read strictly, and every node of it checked by the rules."""
