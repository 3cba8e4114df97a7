"""Builds what is generated: the protobuf modules, and the C of the compiled modules."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Command, Extension, setup
from setuptools.command.build import build

ROOT = Path(__file__).parent
PACKAGE = ROOT / "src" / "callscreen"
COMPILED = ("fastpath", "identity")  # folders with .pyx


def plugin(name: str) -> str:
    """Path of a protoc plugin: on the PATH of an isolated build, else beside the interpreter."""
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        raise SystemExit(f"{name} is missing: install mypy-protobuf")
    return found


class BuildProtos(Command):
    """protos/ → callscreen/v1: into the tree for an editable install, else into the build."""

    description = "generate the protobuf and gRPC modules"
    user_options: list[tuple[str, str, str]] = []
    editable_mode = True

    def initialize_options(self) -> None:
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def protos(self) -> list[str]:
        return sorted(
            str(path.relative_to(ROOT)) for path in ROOT.glob("protos/callscreen/v1/*.proto")
        )

    def run(self) -> None:
        import grpc_tools

        out = Path("src") if self.editable_mode else Path(self.build_lib or "build/lib")
        package = out / "callscreen" / "v1"
        package.mkdir(parents=True, exist_ok=True)
        includes = ["-Iprotos", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
        outputs = [f"--{kind}_out={out}" for kind in ("python", "grpc_python")]
        outputs += [f"--mypy_out=quiet:{out}", f"--mypy_grpc_out=quiet:{out}"]
        plugins = [
            f"--plugin={name}={plugin(name)}"
            for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
        ]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "grpc_tools.protoc",
                *includes,
                *outputs,
                *plugins,
                *self.protos(),
            ],
            cwd=ROOT,
            check=True,
        )
        (package / "__init__.py").write_text('"""Generated from protos/callscreen/v1."""\n')

    def get_source_files(self) -> list[str]:
        return self.protos()

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class Build(build):
    sub_commands = [("build_protos", None), *build.sub_commands]

    def run(self) -> None:
        editable = getattr(self, "editable_mode", False) or "editable_wheel" in sys.argv
        self.get_finalized_command("build_protos").editable_mode = editable
        super().run()


extensions = cythonize(
    [
        Extension(
            f"callscreen.{folder}.{path.stem}",
            [str(path.relative_to(ROOT))],
            extra_compile_args=[
                "-O3",
                "-fno-strict-aliasing",
                *os.environ.get("CALLSCREEN_CFLAGS", "").split(),
            ],
        )
        for folder in COMPILED
        for path in sorted((PACKAGE / folder).glob("*.pyx"))
    ],
    build_dir="build/cython",
    include_path=["src"],
    compiler_directives={
        "language_level": "3",
        "boundscheck": False,
        "wraparound": False,
        "cdivision": True,
        "initializedcheck": False,
        "embedsignature": True,
        "freethreading_compatible": True,
    },
)

setup(ext_modules=extensions, cmdclass={"build_protos": BuildProtos, "build": Build})
