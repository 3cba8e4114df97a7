"""Nothing for Python here: calls handed over by the compiled modules."""
