"""What is claimed to be fast, measured: `python -m bench [NAME...]`."""

__all__: list[str] = []
