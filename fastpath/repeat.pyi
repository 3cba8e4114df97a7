"""Nothing for Python here: work done over and over for the compiled modules."""
