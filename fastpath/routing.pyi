"""Nothing for Python here: the routing part of the index."""
