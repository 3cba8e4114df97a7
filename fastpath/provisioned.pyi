"""Nothing for Python here: the writing part of the index."""
