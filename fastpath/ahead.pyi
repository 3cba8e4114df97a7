"""Nothing for Python here: memory of the compiled modules."""
