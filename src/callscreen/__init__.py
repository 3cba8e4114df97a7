"""Callscreen: an open call-screening platform for telephone carriers."""

__all__ = ["__version__"]

__version__ = "0.1.0"
