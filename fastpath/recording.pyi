"""Nothing for Python here: recording of the compiled modules."""
