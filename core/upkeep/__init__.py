"""Care of the data folder: backup, restore, check."""

__all__ = ["archive", "backup", "check", "restore"]
