"""Nothing for Python here: the decision of the compiled modules."""
