"""FairFace in its published layout: age group, gender and race of one face a picture; no identities, so no trials.

``fairface_label_train.csv`` and ``fairface_label_val.csv`` with the columns ``file,age,gender,race,service_test``
beside the folders ``train/`` and ``val/``; ``file`` is ``train/1.jpg``. Two editions, cut with a margin of 0.25 and of
1.25, are separate downloads with the same names: the layout does not say which one lies in a folder. K. Karkkainen,
J. Joo, WACV 2021, arXiv 1908.04913.

Groups and their spelling are its authors': nine age groups, two genders, seven race groups, all as seen by three crowd
workers in a photograph; ``service_test`` marks the balanced subset with which they tested commercial services.
FairFace says nothing about identity: every picture counts as a capture subject of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..core import DataError, NoTrialsError, Samples, Trials
from . import writing
from .folder import check_protocol
from .listed import existing_folder

AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
GENDERS = ("Male", "Female")
RACES = ("Black", "East Asian", "Indian", "Latino_Hispanic", "Middle Eastern", "Southeast Asian", "White")
COLUMNS = ("file", "age", "gender", "race", "service_test")
_CLASSES: Mapping[str, tuple[str, ...]] = {"age": AGES, "gender": GENDERS, "race": RACES}
ALL = "attributes"
_LISTS = ("train", "val")
_TESTED = {"True": 1, "False": 0}
# From which age on each group begins, in years.
_STARTS = (0, 3, 10, 20, 30, 40, 50, 60, 70)
_OLDEST = 120


@dataclass(frozen=True)
class Entry:
    """One picture and its row: codes of `AGES`, `GENDERS` and `RACES`."""

    path: str
    age: int
    gender: int
    race: int
    service_test: int


@dataclass(frozen=True)
class FairFace:
    """FairFace in a folder of the user's."""

    root: Path
    entries: Mapping[str, tuple[Entry, ...]]
    name: str = "fairface"
    licence: str = "CC BY 4.0; the people in the pictures did not agree to be there"
    real: bool = True
    protocols: tuple[str, ...] = (ALL, *_LISTS)

    @cached_property
    def digest(self) -> str:
        """Over names and contents of the lists and of the pictures that they name."""
        pictures = [self.root / e.path for listed in self.entries.values() for e in listed]
        return files.digest_tree([*(self.root / _list(p) for p in _LISTS), *pictures], self.root)

    def samples(self, protocol: str = "") -> Samples:
        """Pictures of ``"train"``, of ``"val"``, or of both; attributes as in `COLUMNS`, codes ``int64 (n,)``."""
        check_protocol(self, protocol)
        chosen = protocol or ALL
        entries = [e for p in (_LISTS if chosen == ALL else (chosen,)) for e in self.entries[p]]
        paths = tuple(e.path for e in entries)
        return Samples(
            f"fairface/{chosen}",
            paths,
            np.array(paths),
            files.ImageFiles(str(self.root), paths),
            {k: np.array([getattr(e, k) for e in entries], np.int64) for k in COLUMNS[1:]},
            self.licence,
            self.real,
            self.digest,
        )

    def trials(self, protocol: str = "") -> Trials:
        """Raise `NoTrialsError`: the layout does not say who is shown."""
        check_protocol(self, protocol)
        raise NoTrialsError(
            "FairFace has no comparison trials: it does not say who is shown",
            expected="use of samples().attributes: age, gender, race, service_test",
            do="for verification use a data set with identities, e.g. lfw:PATH or folder:PATH",
        )


def open(path: str = "") -> FairFace:
    """FairFace below ``path``.

    Raises:
        DataError: no such folder, a list is missing or has other columns or classes, names a picture twice or one
            that is not there, or leads out of the folder.
    """
    root = existing_folder(path, "fairface:PATH")
    return FairFace(root, {protocol: _read(root, protocol) for protocol in _LISTS})


def _list(protocol: str) -> str:
    return f"fairface_label_{protocol}.csv"


def _read(root: Path, protocol: str) -> tuple[Entry, ...]:
    file = root / _list(protocol)
    if not file.is_file():
        raise DataError(
            f"{root.name} holds no {file.name}", expected=f"{_list('train')} and {_list('val')} beside train/ and val/",
            do="put the published lists there; the pictures come in an archive of their own",
        )  # fmt: skip
    entries: list[Entry] = []
    for part in files.column_parts(file):
        if set(part.values) != set(COLUMNS):
            raise DataError(f"{file.name} has other columns", given=", ".join(part.values), expected=", ".join(COLUMNS))
        for row in range(len(part)):
            entries.append(_entry(root, part, row))
    if not entries:
        raise DataError(f"{file.name} names no pictures")
    path, times = Counter(e.path for e in entries).most_common(1)[0]
    if times > 1:
        raise DataError(f"{file.name} names a picture twice", given=ascii(path))
    return tuple(entries)


def _entry(root: Path, part: files.Columns, row: int) -> Entry:
    said = {name: str(part.values[name][row]) for name in COLUMNS}
    codes = {}
    for name, classes in _CLASSES.items():
        if said[name] not in classes:
            raise DataError(f"{part.where(row)}: {name} is none of FairFace's", given=ascii(said[name]),
                            expected=", ".join(classes))  # fmt: skip
        codes[name] = classes.index(said[name])
    if said["service_test"] not in _TESTED:
        raise DataError(f"{part.where(row)}: service_test", given=ascii(said["service_test"]), expected="True or False")
    if not files.inside(root, said["file"]).is_file():
        raise DataError(f"{part.where(row)}: there is no such picture", given=ascii(said["file"]),
                        do="unpack the archive with the pictures beside the lists")  # fmt: skip
    return Entry(said["file"], **codes, service_test=_TESTED[said["service_test"]])


def write(
    samples: Samples,
    trials: Trials | None,
    folder: str | Path,
    *,
    encoding: writing.Encoding = "png",
    replace: bool = False,
) -> Path:
    """Write pictures under FairFace's names, every fourth to ``val``, the others to ``train``.

    People are lost, as the layout has none. ``race`` must be there: it is an annotation by people, the layout has no
    word for "not annotated", and it is not made up from skin colour. Names end in ``.jpg`` as published, whatever the
    encoding.

    Args:
        samples: at least two, with the attributes ``age`` (years), ``gender`` (0 male, 1 female) and ``race`` (codes of
            `RACES`); ``service_test`` (0 or 1) where they have it.
        trials: not written; None says so.
        folder: new or empty, unless ``replace``.
        encoding: ``"png"`` keeps every bit, ``"jpeg"`` is quality 95.
        replace: what an earlier export left there.

    Returns:
        What `open` opens.

    Raises:
        DataError: an attribute is missing or out of range, trials were given, or fewer than two samples.
        StoreError: the folder is not empty, or writing failed.
    """
    if trials is not None:
        raise DataError("FairFace's layout has no trials", given=f"{len(trials)} trials", expected="None")
    if len(samples) < 2:
        raise DataError("FairFace has a training and a validation part", given=f"{len(samples)} samples",
                        expected="two or more")  # fmt: skip
    age = writing.attribute(samples, "age", "FairFace", f"years, 0 to {_OLDEST}")
    gender = writing.attribute(samples, "gender", "FairFace", "0 male, 1 female")
    race = writing.attribute(samples, "race", "FairFace", f"0 to {len(RACES) - 1}: {', '.join(RACES)}, as annotated")
    tested = np.asarray(samples.attributes.get("service_test", np.zeros(len(samples))))
    rows: dict[str, list[str]] = {p: [",".join(COLUMNS)] for p in _LISTS}
    with writing.new_folder("fairface", samples, folder, replace) as new:
        for i, image in enumerate(samples):
            protocol = "val" if i % 4 == 0 else "train"
            name = f"{protocol}/{len(rows[protocol])}.jpg"
            said = _said(samples.ids[i], age[i], gender[i], race[i], tested[i])
            rows[protocol].append(",".join((name, *said)))
            new.add(name, writing.encode(image, encoding))
        for protocol, lines in rows.items():
            new.add(_list(protocol), ("\n".join(lines) + "\n").encode())
    return Path(folder)


def _said(name: object, age: Any, gender: Any, race: Any, tested: Any) -> tuple[str, ...]:
    """Age group, gender, race and service test in FairFace's words."""
    if not 0 <= age <= _OLDEST:
        raise DataError(f"sample {name!r} cannot be listed as in FairFace", given=f"age {age}",
                        expected=f"0 to {_OLDEST} years")  # fmt: skip
    for what, value, count in (("gender", gender, 2), ("race", race, len(RACES)), ("service_test", tested, 2)):
        if value not in range(count):
            raise DataError(f"sample {name!r} cannot be listed as in FairFace", given=f"{what} {value}",
                            expected=f"0 to {count - 1}")  # fmt: skip
    group = int(np.searchsorted(_STARTS, age, side="right")) - 1
    return AGES[group], GENDERS[int(gender)], RACES[int(race)], str(bool(tested))
