"""Code digests are kept until a file of the package changes, and then made anew."""

import os
import platform
from pathlib import Path

import pytest

from workbench import studies
from workbench.runs import identity, staleness
from workbench.runs.identity import code_digest
from workbench.runs.staleness import Staleness


def test_a_digest_is_that_of_the_identity_and_kept_until_the_package_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    place = studies.places()["saliency"]
    assert isinstance(place, studies.Place)
    tree: list[tuple[str, int, int]] = [("a.py", 1, 1)]
    monkeypatch.setattr(staleness, "_tree", lambda folder: tree)
    kept = Staleness()
    kept.look()
    assert kept._code(place) == code_digest(place.module, place.notebook)
    # A file below changed: its digest is made of what it holds now.
    changed = place.module
    real = staleness.files.sha256_file
    monkeypatch.setattr(staleness.files, "sha256_file", lambda file: "0" * 64 if Path(file) == changed else real(file))
    before = kept._code(place)
    kept._digests.clear()
    kept.look()
    assert kept._code(place) == before
    tree.append(("b.py", 2, 2))
    kept.look()
    assert kept._code(place) != before


@pytest.mark.parametrize("name", ["data", "model"])
def test_data_and_weights_that_were_written_to_make_a_run_stale(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staleness, "LOOK_SECONDS", 0.0)
    place = studies.places()["saliency"]
    assert isinstance(place, studies.Place)
    (tmp_path / "Ann").mkdir()
    file = tmp_path / "Ann" / "1.png"
    file.write_bytes(b"1")
    known = Staleness()
    known.look()
    kept = {"version": "2-A", "code": code_digest(place.module, place.notebook), "packages": identity.packages(),
            "machine": platform.machine()}  # fmt: skip

    def reasons() -> list[str]:
        where = f"folder:{tmp_path}" if name == "data" else f"onnx:{file}"
        return known.reasons(place, "2-A", kept, {name: where}, began=2000.0)

    def all_of(when: float) -> None:
        for thing in (tmp_path, file.parent, file):
            os.utime(thing, (when, when))

    what = "data" if name == "data" else "weights"
    all_of(1000.0)
    assert reasons() == []
    # In the middle of the tree, by its contents alone.
    os.utime(file, (3000.0, 3000.0))
    assert reasons() == [f"its {what} were written to after it began"]
    # A picture that is added or gone changes its folder.
    all_of(1000.0)
    os.utime(file.parent, (3000.0, 3000.0))
    assert bool(reasons()) == (name == "data")
    file.unlink()
    file.parent.rmdir()
    tmp_path.rmdir()
    assert reasons() == [f"its {what} are no longer where they were"]
