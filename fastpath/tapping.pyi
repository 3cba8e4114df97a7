"""Nothing for Python here: sockets of the compiled modules."""
