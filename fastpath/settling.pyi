"""Nothing for Python here: settling of the compiled modules."""
