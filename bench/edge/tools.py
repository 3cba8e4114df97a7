"""What is written in C: compiled at first use, and anew where a source has changed."""

import os
import subprocess
from pathlib import Path

__all__ = ["compiled"]

SOURCES = Path(__file__).parent
BUILD = SOURCES.parent.parent / "build" / "bench"


def compiled(name: str) -> Path:
    """The program of `name`.c. RuntimeError, with what the compiler says, where it is none."""
    program = BUILD / name
    sources = [SOURCES / f"{name}.c", *SOURCES.glob("*.h")]
    if program.exists() and program.stat().st_mtime > max(s.stat().st_mtime for s in sources):
        return program
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [os.environ.get("CC", "cc"), "-O3", "-Wall", "-Wextra", "-o", program, sources[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}.c is not compiled:\n{done.stderr}")
    return program
