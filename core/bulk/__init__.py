"""Import and export of CSV files as jobs, which outlive the call that began them and a restart."""

__all__ = [
    "applying",
    "assembling",
    "blocks",
    "checking",
    "creating",
    "exporting",
    "importing",
    "jobs",
    "keeping",
    "limits",
    "lines",
    "log",
    "processes",
    "quick",
    "records",
    "seen",
    "staging",
    "states",
    "undoing",
    "worker",
]
