"""Signing and verifying callers beside bare OpenSSL: `python -m bench.identity`."""
