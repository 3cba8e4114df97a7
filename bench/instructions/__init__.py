"""Instructions a call, counted by callgrind and kept beside the code."""

__all__: list[str] = []
