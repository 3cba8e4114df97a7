"""The audit log: a row a change, in files of CSV."""

__all__ = ["changes", "files", "rows"]
