"""Builds the fuzz target: the fast path once more, with clang's sanitizers, in a folder of its own.

1. Nothing outside the folder is written: what is installed in place stays as it is.
2. Only what changed is compiled again.
3. Modules that octets off the wire come through are told from those that only prepare the index:
   the latter are compiled with the address sanitizer alone.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["ROOT", "build", "missing"]

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests" / "fuzz"
PACKAGE = ROOT / "src" / "callscreen"
C_FILES = ROOT / "build" / "cython" / "src" / "callscreen"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

# Modules that octets of others come through: off the wire, or out of a file.
REACHED = [
    "ahead",
    "answer_peer",
    "answer_write",
    "area",
    "blocks",
    "branches",
    "callers",
    "changes",
    "claims",
    "decide",
    "extract",
    "extract_number",
    "extract_scan",
    "forwarding",
    "handing",
    "hops",
    "image_fill",
    "image_put",
    "image_read",
    "image_take",
    "image_write",
    "lists",
    "marks",
    "masks",
    "numbers",
    "onward",
    "peers",
    "prefixes",
    "recent",
    "recording",
    "refusing",
    "relaying",
    "respond",
    "rewriting",
    "ring",
    "routes",
    "sent_on",
    "settling",
    "sip",
    "sip_names",
    "sip_scan",
    "sources",
    "switching",
    "tables",
]
TARGETS = ["target", "shell"]
NAMED = re.compile(r"callscreen\.fastpath\.(\w+) c?import|^from \.(\w+) import", re.MULTILINE)
FLAGS = ["-g1", "-fPIC", "-w", "-fno-strict-aliasing", "-fno-omit-frame-pointer"]
FLAGS += ["-fsanitize=address"]
COVERED = ["-O1", "-fsanitize=fuzzer-no-link,undefined", "-fno-sanitize-recover=undefined"]
UNCOVERED = ["-O0"]


def missing() -> list[str]:
    """Debian packages that are not there."""
    if shutil.which("clang") is None:
        return ["clang", "libclang-rt-14-dev"]
    folder = subprocess.run(["clang", "-print-resource-dir"], capture_output=True, text=True)
    found = list(Path(folder.stdout.strip()).glob("lib/linux/libclang_rt.fuzzer-*.a"))
    return [] if found else ["libclang-rt-14-dev"]


def run(*command: object) -> None:
    subprocess.run([str(each) for each in command], check=True, cwd=ROOT)


def newer(source: Path, made: Path) -> bool:
    return not made.exists() or source.stat().st_mtime > made.stat().st_mtime


def compile_module(source: Path, made: Path, covered: bool) -> None:
    include = "-I" + sysconfig.get_path("include")
    if newer(source, made):
        more = COVERED if covered else UNCOVERED
        run("clang", *FLAGS, *more, include, "-shared", "-o", made, source)


def needed(names: list[str]) -> list[str]:
    """These compiled modules, and those that they name."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        files = [PACKAGE / "fastpath" / f"{name}{kind}" for kind in (".pyx", ".pxd", ".py")]
        if name in found or not any(each.exists() for each in files):
            continue
        found.append(name)
        for each in files:
            text = each.read_text() if each.exists() else ""
            waiting += [one or other for one, other in NAMED.findall(text)]
    return sorted(name for name in found if (PACKAGE / "fastpath" / f"{name}.pyx").exists())


def link_python(site: Path) -> None:
    """The package's Python files, without what is compiled in place."""
    for folder in (PACKAGE, PACKAGE / "fastpath", PACKAGE / "identity"):
        (site / "callscreen" / folder.relative_to(PACKAGE)).mkdir(parents=True, exist_ok=True)
        for source in folder.glob("*.py"):
            link = site / "callscreen" / source.relative_to(PACKAGE)
            if not link.is_symlink():
                link.symlink_to(source)


def build(out: Path) -> Path:
    """Returns the path of the program; which target it runs is said by CALLSCREEN_FUZZ."""
    site = out / "site"
    link_python(site)
    jobs = []
    for name in TARGETS:
        target = out / f"{name}.c"
        sources = [HERE / f"{name}.pyx", *PACKAGE.glob("fastpath/*.pxd")]
        if any(newer(source, target) for source in sources):
            run(sys.executable, "-m", "cython", "-3", "-I", ROOT / "src", "-o", target, sources[0])
        jobs.append((target, site / f"{name}{SUFFIX}", True))
    for name in needed(REACHED):
        made = site / "callscreen" / "fastpath" / f"{name}{SUFFIX}"
        jobs.append((C_FILES / "fastpath" / f"{name}.c", made, name in REACHED))
    for source in PACKAGE.glob("identity/*.pyx"):
        made = site / "callscreen" / "identity" / f"{source.stem}{SUFFIX}"
        jobs.append((C_FILES / "identity" / f"{source.stem}.c", made, True))
    with ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        list(pool.map(lambda job: compile_module(*job), jobs))
    made = out / "fuzz"
    library = sysconfig.get_config_var("LIBDIR")
    version = sysconfig.get_config_var("LDVERSION")
    run(
        "clang",
        *FLAGS,
        "-O1",
        "-fsanitize=fuzzer,undefined",
        "-rdynamic",
        "-I" + sysconfig.get_path("include"),
        "-x",
        "c",
        HERE / "entry.inc",
        "-x",
        "none",
        f"-L{library}",
        f"-Wl,-rpath,{library}",
        f"-lpython{version}",
        *sysconfig.get_config_var("LIBS").split(),
        "-lm",
        "-o",
        made,
    )
    return made
