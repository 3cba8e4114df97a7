"""Nothing for Python here: counts of the compiled modules."""
