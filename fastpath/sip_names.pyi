"""Nothing for Python here: names of header fields for the compiled modules."""
