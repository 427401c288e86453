"""UTKFace in its published layout: age, gender and race in every file's name; no identities, so no trials.

``<age>_<gender>_<race>_<yyyymmddHHMMSSFFF>.jpg``, ``.jpg.chip.jpg`` for the aligned crops, in the folder or in
subfolders of it (``part1`` ... ``part3`` in the wild). Age is 0 to 116 years; gender 0 male, 1 female; race 0 White,
1 Black, 2 Asian, 3 Indian, 4 others, as its authors call them; the labels were estimated by an algorithm and checked
by people. Z. Zhang, Y. Song, H. Qi, CVPR 2017, arXiv 1702.08423. Some published files are misnamed; they are listed in
`UtkFace.refused`, with the reason, and not guessed.

UTKFace says nothing about identity: every picture counts as a capture subject of its own, though some people are in it
more than once, so intervals over people are a little too narrow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from .. import files
from ..core import DataError, NoTrialsError, Samples, Trials
from . import writing
from .folder import SUFFIXES, check_protocol
from .listed import existing_folder

GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "others")
OLDEST = 116
_NAME = re.compile(r"(\d{1,3})_(\d)_(\d)_(\d{17})(\.jpg)?(\.chip)?\.(jpe?g|png)", re.ASCII | re.IGNORECASE)
_LAYOUT = "<age>_<gender>_<race>_<yyyymmddHHMMSSFFF>.jpg"


@dataclass(frozen=True)
class Entry:
    """One picture and what its name says."""

    path: str
    age: int
    gender: int
    race: int


@dataclass(frozen=True)
class UtkFace:
    """UTKFace in a folder of the user's.

    Attributes:
        refused: name and reason of every picture that is left out.
    """

    root: Path
    entries: tuple[Entry, ...]
    refused: tuple[tuple[str, str], ...] = ()
    name: str = "utkface"
    licence: str = "non-commercial research; the people in the pictures did not agree to be there"
    real: bool = True
    protocols: tuple[str, ...] = ("attributes",)

    @cached_property
    def digest(self) -> str:
        """Over names and contents of the pictures that are not refused."""
        return files.digest_tree([self.root / e.path for e in self.entries], self.root)

    def samples(self, protocol: str = "") -> Samples:
        """All pictures by name; attributes ``age`` (years), ``gender`` and ``race`` (codes) ``int64 (n,)``."""
        check_protocol(self, protocol)
        paths = tuple(e.path for e in self.entries)
        return Samples(
            "utkface/attributes",
            paths,
            np.array(paths),
            files.ImageFiles(str(self.root), paths),
            {k: np.array([getattr(e, k) for e in self.entries], np.int64) for k in ("age", "gender", "race")},
            self.licence,
            self.real,
            self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: the layout does not say who is shown."""
        check_protocol(self, protocol)
        raise NoTrialsError(
            "UTKFace has no comparison trials: it does not say who is shown",
            expected="use of samples().attributes: age, gender, race",
            do="for verification use a data set with identities, e.g. lfw:PATH or folder:PATH",
        )


def read_name(name: str) -> tuple[int, int, int] | str:
    """Age, gender and race of a file's name, or why it has none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return f"not named {_LAYOUT}"
    age, gender, race = (int(found[i]) for i in (1, 2, 3))
    return _fault(age, gender, race) or (age, gender, race)


def _fault(age: int, gender: int, race: int) -> str:
    if not 0 <= age <= OLDEST:
        return f"age {age} is not from 0 to {OLDEST}"
    if gender not in (0, 1):
        return f"gender {gender} is none of 0, 1"
    return "" if 0 <= race < len(RACES) else f"race {race} is none of 0 to {len(RACES) - 1}"


def open(path: str = "") -> UtkFace:
    """UTKFace below ``path``.

    Raises:
        DataError: no such folder, no picture with a name of the layout, or a link that leads out of the folder.
    """
    root = existing_folder(path, "utkface:PATH")
    entries, refused = [], []
    for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))):
        for file in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")):
            relative = file.relative_to(root).as_posix()
            files.inside(root, relative)
            labels = read_name(file.name)
            if isinstance(labels, str):
                refused.append((relative, labels))
            else:
                entries.append(Entry(relative, *labels))
    if not entries:
        given = f"{len(refused)} pictures with other names" + (f", e.g. {refused[0][0]!a}" if refused else "")
        raise DataError(f"{root.name} holds no UTKFace pictures", given=given, expected=_LAYOUT, do="check the folder")
    return UtkFace(root, tuple(sorted(entries, key=lambda e: e.path)), tuple(refused))


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write pictures under UTKFace's names.

    People are lost, as the layout has none. The attribute ``race`` is 4 (others) where samples have none: it is an
    annotation, and is not made up from skin colour. The place of date and time counts the pictures. Names end in
    ``.jpg`` as published, whatever the encoding.

    Args:
        samples: with the attributes ``age`` (whole years) and ``gender`` (0 male, 1 female).
        trials: not written; None says so.
        folder: new or empty, unless ``replace``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: an attribute is missing or out of range, or trials were given.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is not None:
        raise DataError("UTKFace's layout has no trials", given=f"{len(trials)} trials", expected="None")
    age = writing.attribute(samples, "age", "UTKFace", f"whole years, 0 to {OLDEST}")
    gender = writing.attribute(samples, "gender", "UTKFace", "0 male, 1 female")
    race = np.asarray(samples.attributes.get("race", np.full(len(samples), len(RACES) - 1)))
    start = datetime(2000, 1, 1)
    with writing.new_folder("utkface", samples, folder, replace) as new:
        for i, image in enumerate(samples):
            labels = [float(column[i]) for column in (age, gender, race)]
            fault = "" if all(v.is_integer() for v in labels) else f"{labels} are no whole numbers"
            if fault := fault or _fault(*(int(v) for v in labels)):
                raise DataError(f"sample {samples.ids[i]!r} cannot be named as in UTKFace", given=fault)
            when = (start + timedelta(milliseconds=i)).strftime("%Y%m%d%H%M%S%f")[:17]
            new.add(f"{'_'.join(str(int(v)) for v in labels)}_{when}.jpg", writing.encode(image, encoding))
    return Path(folder)
