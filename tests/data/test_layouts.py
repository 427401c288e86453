"""What all layouts have in common: phantom faces are written, read again and the same, and nothing is overwritten."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import data
from workbench.core import (
    DataError,
    ImageError,
    NoTrialsError,
    ParameterError,
    Samples,
    StoreError,
    Trials,
    UnknownNameError,
)
from workbench.testing import contracts

PAIRED = ("insightface-bin", "lfw")
LABELLED = ("casia-surf", "deepfakebench", "fairface", "mmdg", "utkface")
MODALITIES = ("casia-surf", "mmdg")
# Labels always, trials where they are given.
BOTH = ("expressions",)
ALL = PAIRED + LABELLED + BOTH


def modalities(faces: Samples) -> dict[str, np.ndarray]:
    """Stand-ins for depth and infrared: any two pictures that are not the colour one."""
    return {"depth": [255 - p[..., 1] for p in faces], "ir": [p[..., 0] for p in faces]}


def export(faces: Samples, pairs: Trials, layout: str, folder: Path, **options: object) -> str:
    more = modalities(faces) if layout in MODALITIES else {}
    if layout in BOTH:
        # DeepfakeBench's labels have the same name and other words.
        faces = replace(faces, attributes={"label": np.array(["neutral", "happy"] * (len(faces) // 2))})
    return data.export(faces, pairs if layout in PAIRED else None, layout, folder, **more, **options)


def contents(pictures: object) -> list[str]:
    return sorted(hashlib.sha256(np.ascontiguousarray(p).tobytes()).hexdigest() for p in pictures)


def test_the_layouts_are_listed() -> None:
    assert data.layouts() == sorted(ALL)
    assert all(data.describe(n) for n in data.layouts())
    assert {"folder", "phantom"} <= set(data.names()) - set(data.layouts())
    assert not {"listed", "writing"} & set(data.names())


@pytest.mark.parametrize("layout", ALL)
def test_phantom_faces_come_back_to_the_bit(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    spec = export(faces, pairs, layout, tmp_path / "out")
    assert spec.startswith(f"{layout}:{tmp_path}")
    opened = data.open_dataset(spec)
    contracts.check_dataset(opened)
    wanted = np.asarray(faces.images)
    if layout == "insightface-bin":
        # A list of pairs holds a picture once for every trial that it is in.
        wanted = wanted[np.stack([pairs.reference, pairs.probe], 1).ravel()]
    elif layout == "lfw":
        wanted = wanted[np.union1d(pairs.reference, pairs.probe)]
    assert contents(opened.samples()) == contents(wanted)
    assert opened.real
    assert json.loads((tmp_path / "out" / "export.json").read_text())["licence"] == faces.licence


@pytest.mark.parametrize("layout", ALL)
def test_jpeg_is_smaller_and_close(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    sizes = {}
    for encoding in ("png", "jpeg"):
        spec = export(faces, pairs, layout, tmp_path / encoding, encoding=encoding)
        sizes[encoding] = sum(p.stat().st_size for p in (tmp_path / encoding).rglob("*") if p.is_file())
        found = np.sort([p.mean() for p in data.open_dataset(spec).samples()])
        sizes[f"{encoding} mean"] = found
    assert sizes["jpeg"] < sizes["png"]
    assert np.abs(sizes["jpeg mean"] - sizes["png mean"]).max() < 1
    with pytest.raises(ParameterError, match="unknown encoding\n  given: tiff\n  expected: png or jpeg"):
        export(faces, pairs, layout, tmp_path / "tiff", encoding="tiff")
    assert not (tmp_path / "tiff").exists()


@pytest.mark.parametrize("layout", ALL)
def test_nothing_is_overwritten_unasked(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_text("mine")
    for options in ({}, {"replace": True}):
        with pytest.raises(StoreError, match=r"is not empty|was not written by the workbench"):
            export(faces, pairs, layout, tmp_path / "photos", **options)
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["mine.jpg"]
    export(faces, pairs, layout, tmp_path / "out")
    with pytest.raises(StoreError, match="replace=True"):
        export(faces, pairs, layout, tmp_path / "out")
    before = data.open_dataset(export(faces, pairs, layout, tmp_path / "out", replace=True)).digest
    darker = replace(faces, images=np.asarray(faces.images) // 2)
    after = data.open_dataset(export(darker, pairs, layout, tmp_path / "out", replace=True)).digest
    assert before != after


@pytest.mark.parametrize("layout", ALL)
def test_what_does_not_fit_is_said_and_leaves_nothing(
    faces: Samples, pairs: Trials, tmp_path: Path, layout: str
) -> None:
    more = modalities(faces) if layout in MODALITIES else {}
    if layout not in BOTH:
        with pytest.raises(DataError, match="trials"):
            data.export(faces, None if layout in PAIRED else pairs, layout, tmp_path / "out", **more)
    # The last picture, which is in a trial too: all others are written by then.
    assert 7 in pairs.probe
    broken = replace(faces, images=[*np.asarray(faces.images)[:-1], np.zeros((4, 4, 3))])
    with pytest.raises(DataError, match=r"a picture cannot be written\n  given: float64 \(4, 4, 3\)"):
        export(broken, pairs, layout, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", LABELLED)
def test_labels_are_no_trials(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    opened = data.open_dataset(export(faces, pairs, layout, tmp_path / "out"))
    with pytest.raises(NoTrialsError, match=r"has no comparison trials(.|\n)*samples\(\)\.attributes(.|\n)*lfw:PATH"):
        opened.trials()
    with pytest.raises(ParameterError, match="has no protocol 'view2'"):
        opened.trials("view2")


@pytest.mark.parametrize("layout", LABELLED + BOTH)
def test_a_missing_attribute_is_named(faces: Samples, tmp_path: Path, layout: str) -> None:
    bare = replace(faces, attributes={})
    with pytest.raises(DataError, match=r"needs the attribute '(age|attack|label)'\n  given: no attributes"):
        data.export(bare, None, layout, tmp_path / "out")


@pytest.mark.parametrize("layout", ["lfw", "casia-surf", "deepfakebench", "expressions", "mmdg"])
def test_names_that_would_break_a_list_are_refused(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    for bad in ("two words", "../up", "a/b/..", "", ".hidden", "x" * 201):
        people = np.array([bad, *faces.subjects[1:]])
        with pytest.raises(DataError, match=r"this cannot be (.|\n)*letters, digits, _ \. \+ -"):
            export(replace(faces, subjects=people), pairs, layout, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_layout_that_is_none(faces: Samples, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown layout 'utkfaces'\n.*\n  expected: did you mean 'utkface'"):
        data.export(faces, None, "utkfaces", tmp_path / "out")
    with pytest.raises(UnknownNameError, match="unknown layout 'phantom'"):
        data.export(faces, None, "phantom", tmp_path / "out")


@pytest.mark.parametrize("layout", ALL)
def test_one_damaged_picture_is_one_failure(faces: Samples, pairs: Trials, tmp_path: Path, layout: str) -> None:
    spec = export(faces, pairs, layout, tmp_path / "out")
    if layout == "insightface-bin":
        file = tmp_path / "out" / "pairs.bin"
        file.write_bytes(file.read_bytes().replace(b"IHDR", b"IHDX", 1))
    else:
        sorted(p for p in (tmp_path / "out").rglob("*") if p.suffix in (".jpg", ".png"))[0].write_bytes(b"GIF89a")
    samples = data.open_dataset(spec).samples()
    refused = 0
    for i in range(len(samples)):
        try:
            samples.images[i]
        except ImageError:
            refused += 1
    # A .bin holds the bytes of a picture once, however many pairs it is in: the first is in two here.
    assert refused == (2 if layout == "insightface-bin" else 1)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    for layout in ALL:
        for path in ("", str(tmp_path / "nowhere")):
            with pytest.raises(DataError, match=f"there is no such f(.|\n)*{layout}:PATH"):
                data.open_dataset(f"{layout}:{path}")
