"""Nothing for Python here: sources of the compiled modules."""
