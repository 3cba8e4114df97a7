"""Nothing for Python here: tables of the compiled modules."""
