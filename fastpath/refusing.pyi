"""Nothing for Python here: refusing of the compiled modules."""
