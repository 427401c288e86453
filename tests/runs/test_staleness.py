"""Code digests are kept until a file of the package changes, and then made anew."""

from pathlib import Path

import pytest

from workbench import studies
from workbench.runs import staleness
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
