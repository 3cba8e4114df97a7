"""What is released: a source archive, and a wheel whose command runs in a bare environment."""

import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_generated_code_and_runtime_agree_on_versions() -> None:
    """Generated modules refuse an older runtime than their generator."""
    pins = dict(
        requirement.split("==")
        for requirement in PROJECT["build-system"]["requires"]
        if "==" in requirement
    )
    needs = dict(
        requirement.split(">=")
        for requirement in PROJECT["project"]["dependencies"]
        if requirement.startswith(("grpcio>", "protobuf>"))
    )
    assert needs["grpcio"] == pins["grpcio-tools"]
    assert version("grpcio-tools") == pins["grpcio-tools"]
    generated = (ROOT / "src" / "callscreen" / "v1" / "object_pb2.py").read_text()
    lowest = needs["protobuf"].split(",")[0]
    assert f"# Protobuf Python Version: {lowest}\n" in generated


def test_makefile_and_project_agree_on_build_requirements() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for requirement in PROJECT["build-system"]["requires"]:
        assert requirement in makefile


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return sdist, wheel


def test_the_archives_hold_what_they_should(archives: tuple[Path, Path]) -> None:
    sdist, wheel = archives
    with tarfile.open(sdist) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert "protos/callscreen/v1/object.proto" in names
    assert "src/callscreen/fastpath/index.pyx" in names
    written = {name for name in names if name.startswith("bench/edge/")}  # C of its own
    assert not any(name.endswith((".so", ".c", "_pb2.py")) for name in names - written)
    assert "bench/edge/generate.c" in written
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert {name.split("/")[0].split("-")[0] for name in packed} == {"callscreen"}
    assert "callscreen/v1/object_pb2.py" in packed
    assert "callscreen/core/server.py" in packed
    assert any(name.startswith("callscreen/fastpath/index.") and ".so" in name for name in packed)


def test_the_wheel_runs_in_a_bare_environment(archives: tuple[Path, Path], tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "-q", str(archives[1])],
        check=True,
        capture_output=True,
    )
    shown = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "callscreen"), "--version"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout
    assert shown.startswith("callscreen, version ")
    subprocess.run(
        [
            str(python),
            "-c",
            "import callscreen.core.server, callscreen.edge.server, callscreen.gateway.server",
        ],
        check=True,
        cwd=tmp_path,
    )
