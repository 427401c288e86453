"""Expression neutrality on the user's own files: labelled pictures, two expression networks, a recogniser, comparisons.

One detector finds every face; its five landmarks serve all networks, each of which has its own crop. Pictures without
a face are counted, and comparisons with one of them are left out and counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import data as datasets
from .. import files, models
from ..core import DataError, ImageError, NoTrialsError, ParameterError, Samples, Trials
from ..data.expressions import NEUTRAL as NEUTRAL_LABEL
from ..models import align
from ..models.cards import PHANTOM_CHIP
from ..models.detectors import prepare
from ..models.pipeline import batches
from .expression_faces import SIZE, Faces
from .expression_material import Compared, Described, Given, Material, Seen, Source

Pictures = Sequence[NDArray[np.uint8]]
Floats = NDArray[np.float64]
# Pictures and their five landmarks to rows.
Reader = Callable[[Pictures, NDArray[np.float32]], NDArray[np.floating]]
BATCH = 32
NETWORK, NORM = "hsemotion", "embedding norm"
SETS = (
    "expression sets (candidates: CK+, MUG, KDEF, Multi-PIE, FEAFA+, AffectNet, RAF-DB, Oulu-CASIA; the paper's exact "
    "list could not be confirmed): data = expressions:FOLDER;expressions:FOLDER;..., each a folder with a CSV table "
    "path, subject, label, intensity"
)
NETWORKS = (
    "HSEmotion enet_b0_8_best_vgaf (224 px) and enet_b2_8 (260 px), exported to ONNX without their last layer: "
    "model = hsemotion:B0.onnx;hsemotion:B2.onnx"
)
RECOGNISER = "a recogniser such as ArcFace, MagFace or CurricularFace: behind the networks, e.g. ;onnx:ARCFACE.onnx"
COMPARISONS = (
    "a list of comparisons of other people: one more expressions:FOLDER whose comparisons.csv has ref, probe, mated"
)
TIME = "about an hour on a GPU for the features of a few 100,000 faces"
_CHIP = tuple((x * SIZE, y * SIZE) for x, y in PHANTOM_CHIP)


@dataclass(frozen=True)
class Opened:
    """One data set of the user's.

    Attributes:
        spec, name: as it is opened, and as it is shown.
        samples: its pictures.
        trials: its comparisons, or None.
        licence, digest: of it.
    """

    spec: str
    name: str
    samples: Samples
    trials: Trials | None
    licence: str
    digest: str


def opened(data: str) -> tuple[list[Opened], Opened | None]:
    """The sets that are left out one by one, and the one with comparisons.

    Args:
        data: specifications side by side. What has comparison trials is for the utility test, the others for the
            classifiers.

    Raises:
        DataError: a set has neither labels of expressions nor trials, or several have trials.
    """
    sets: list[Opened] = []
    compared: list[Opened] = []
    for spec in datasets.several(data):
        found = datasets.open_dataset(spec)
        samples, trials = found.samples(), None
        try:
            trials = found.trials()
        except NoTrialsError:
            if "label" not in samples.attributes:
                raise DataError(f"{spec} does not say which expressions it shows", given=found.name,
                                expected="expressions:FOLDER", do="write a table of labels") from None  # fmt: skip
        part = compared if trials is not None else sets
        name = samples.name.partition("/")[2] or samples.name
        same = sum(o.name.partition(" (")[0] == name for o in [*sets, *compared])
        part.append(Opened(spec, f"{name} ({same + 1})" if same else name, samples, trials, found.licence,
                           found.digest))  # fmt: skip
    if len(compared) > 1:
        raise DataError("several data sets have comparisons", given=", ".join(o.spec for o in compared),
                        expected="one for the utility test", do="remove the lists of the others")  # fmt: skip
    return sets, compared[0] if compared else None


def chosen(model: str) -> tuple[list[str], str]:
    """Specifications of the expression networks, and of the recogniser ("" without one).

    Raises:
        ParameterError: more than two networks, or more than one recogniser.
    """
    specs = models.several(model)
    networks = [s for s in specs if models.split(s)[0] == NETWORK]
    others = [s for s in specs if s not in networks]
    wrong = [s for s in others if models.card(s).task != "embedding"]
    if len(networks) > 2 or len(others) > 1 or wrong:
        raise ParameterError("the models do not fit this study", given=", ".join(wrong or specs),
                             expected="two expression networks and at most one recogniser",
                             do="model = hsemotion:B0.onnx;hsemotion:B2.onnx;RECOGNISER")  # fmt: skip
    return networks, others[0] if others else ""


def missing(sets: int, compared: bool, model: str, *, paper: bool) -> list[str]:
    """What a run on the user's files lacks, in words.

    Args:
        sets: how many there are for the classifiers.
        compared: whether there are comparisons.
        model: specifications of the networks.
        paper: whether the utility test must be possible.
    """
    networks, recogniser = chosen(model)
    found = [SETS] if sets < 2 else []
    found += [NETWORKS] if len(networks) < 2 else []
    found += [RECOGNISER] if paper and not recogniser else []
    found += [COMPARISONS] if paper and not compared else []
    return [*found, TIME] if paper and found else found


def faces(data: str, model: str, *, paper: bool, device: str) -> Material:
    """Every face of the user's data sets, found and as a thumbnail.

    Args:
        data: specifications side by side, see `opened`.
        model: of the networks and of the recogniser, see `chosen`.
        paper: whether everything of the paper's setting must be there.
        device: where the detector runs.

    Raises:
        DataError: something is missing, people are in two data sets, or a set has one class only.
        WeightsError: see `given`.
    """
    sets, compared = opened(data)
    lacks = missing(len(sets), compared is not None, model, paper=paper)
    if lacks:
        raise DataError(
            "the paper's setting cannot run here" if paper else "the user's files are not complete",
            given=f"data {data!r}, model {model!r}", expected="; ".join(lacks),
            do="give what is missing, or use data='phantom' with scale 'smoke' or 'demo'",
        )  # fmt: skip
    everything = [*sets, compared] if compared is not None else sets
    _strangers(everything)
    # Looking for faces may take hours: a network that does not fit is refused before.
    given(model, device=device)
    people = np.unique(np.concatenate([o.samples.subjects for o in everything]))
    # Detector and landmarks alone: what the recogniser's crop is does not matter here.
    pipeline = models.default_pipeline(device=device)
    failures: dict[str, dict[str, int]] = {}
    found = [_located(o, np.arange(len(o.samples)), people, pipeline, failures) for o in sets]
    for shown, _ in found:
        if not (shown.neutral.any() and (~shown.neutral).any()):
            raise DataError(f"the set {shown.name} has one class only", given=f"{int(shown.neutral.sum())} neutral of "
                            f"{len(shown)} faces", expected="neutral and other faces in every set",
                            do="leave it out, or join it with another")  # fmt: skip
    sources, test = [s for _, s in found], _Test(_nobody(), _nobody(), np.zeros(0, np.int64), None)
    if compared is not None:
        pool, source = _located(compared, _used(compared), people, pipeline, failures)
        sources.append(source)
        test = _tested(compared, pool, source)
    return Material(
        _nobody(), tuple(f for f, _ in found), test.references, test.probes, test.reference,
        "; ".join(o.samples.name for o in everything), "; ".join(dict.fromkeys(o.licence for o in everything)),
        files.sha256_bytes("\n".join(o.digest for o in everything).encode()), any(o.samples.real for o in everything),
        tuple(sources), test.compared, failures,
    )  # fmt: skip


def _strangers(everything: Sequence[Opened]) -> None:
    """Refuse people who are in two of the data sets."""
    seen: dict[str, str] = {}
    for one in everything:
        people = sorted(set(one.samples.subjects.tolist()))
        shared = [p for p in people if p in seen]
        if shared:
            raise DataError(
                f"{one.name} and {seen[shared[0]]} share capture subjects",
                given=", ".join(map(ascii, shared[:5])) + (f", ... ({len(shared)})" if len(shared) > 5 else ""),
                expected="nobody in two sets, and nobody of the comparisons among those whom classifiers learn from",
                do="remove these people from one of them; if they are different people, put the set's name before "
                "their names in its table",
            )  # fmt: skip
        seen |= dict.fromkeys(people, one.name)


def _located(
    one: Opened, used: NDArray[np.int64], people: NDArray[np.str_], pipeline: Any,
    failures: dict[str, dict[str, int]],
) -> tuple[Faces, Source]:  # fmt: skip
    """The faces of a data set that were found, and where; the others are counted."""
    samples = one.samples.subset(used)
    places, points, thumbnails, reasons = [np.zeros(0, np.int64)], [np.zeros((0, 5, 2), np.float32)], [], []
    for start, part in batches(samples.images, BATCH):
        located = pipeline.locate(part)
        places.append(start + located.places)
        points.append(located.points)
        shown = [p for i in located.places if not isinstance(p := part[int(i)], ImageError)]
        if shown:
            thumbnails.append(align(shown, located.points, _CHIP, (SIZE, SIZE)))
        reasons += [r for r in located.reasons if r]
    failures[one.name] = dict(Counter(reasons))
    at = np.concatenate(places)
    source = Source(one.spec, used[at], np.concatenate(points))
    label = samples.attributes.get("label")
    names, codes = _labels(None if label is None else label[at].astype(np.str_), len(at))
    intensity = np.asarray(samples.attributes.get("intensity", np.full(len(samples), np.nan)), np.float64)[at]
    subjects = np.searchsorted(people, samples.subjects[at]).astype(np.int64)
    images = np.concatenate([np.zeros((0, SIZE, SIZE, 3), np.uint8), *thumbnails])
    return Faces(one.name, images, subjects, codes, intensity, names), source


def _labels(label: NDArray[np.str_] | None, count: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names with neutral first, as `expression_faces.EXPRESSIONS` has it, and the place of each face's among them."""
    if label is None:
        return (NEUTRAL_LABEL,), np.full(count, -1)
    names = (NEUTRAL_LABEL, *sorted(set(label.tolist()) - {NEUTRAL_LABEL}))
    return names, np.array([names.index(n) for n in label.tolist()], np.int64).reshape(count)


def _nobody() -> Faces:
    none = np.zeros(0, np.int64)
    return Faces("nobody", np.zeros((0, SIZE, SIZE, 3), np.uint8), none, none, none.astype(np.float64))


def _taken(faces: Faces, at: NDArray[np.int64], name: str) -> Faces:
    picked = {k: getattr(faces, k)[at] for k in ("images", "subjects", "expression", "intensity")}
    return replace(faces, name=name, **picked)


def _used(compared: Opened) -> NDArray[np.int64]:
    """Places of the pictures that are compared, each once."""
    assert compared.trials is not None
    return np.unique(np.concatenate([compared.trials.reference, compared.trials.probe]))


@dataclass(frozen=True)
class _Test:
    """The utility test; fields as in `Material`."""

    references: Faces
    probes: Faces
    reference: NDArray[np.int64]
    compared: Compared | None


def _tested(compared: Opened, pool: Faces, source: Source) -> _Test:
    """A row of probes for every mated comparison; those with a picture that failed are left out and counted."""
    trials = compared.trials
    assert trials is not None
    where = np.full(len(compared.samples), -1)
    where[source.places] = np.arange(len(source.places))
    sides = where[np.stack([trials.reference, trials.probe], axis=1)]
    good = (sides >= 0).all(axis=1)
    mated, nonmated = sides[good & trials.mated], sides[good & ~trials.mated]
    if not len(mated):
        raise DataError(f"{compared.name} has no mated comparison that can be made",
                        given=f"{int(trials.mated.sum())} mated comparisons, {len(pool)} faces found",
                        expected="mated comparisons of pictures with a face", do="check the list")  # fmt: skip
    references, reference = np.unique(mated[:, 0], return_inverse=True)
    places = Compared(references, mated[:, 1], nonmated, int((~good).sum()))
    return _Test(_taken(pool, references, "references"), _taken(pool, mated[:, 1], "probes"), reference, places)


def given(model: str, *, device: str) -> dict[str, Given]:
    """The networks of the user's, checked: A and B, and the recogniser where there is one.

    Raises:
        WeightsError: a file is no network of its kind; the message says how to export it.
    """
    specs, recogniser = chosen(model)
    named = dict(zip("AB", specs, strict=True)) | ({"recogniser": recogniser} if recogniser else {})
    found = {}
    for kind, spec in named.items():
        loaded = models.load(spec, device=device)
        found[kind] = Given(kind, spec, loaded.weights_digest, loaded.provider)
    return found


def described(material: Material, known: Mapping[str, Given], *, device: str) -> Described:
    """Features of every face, and the baselines that need no further network: intensity, embedding norm, random."""
    networks = [models.load(known[kind].spec, device=device) for kind in "AB"]
    readers = [partial(_features, n) for n in networks]
    sets = [_seen(f, _read(s, readers)) for f, s in zip(material.sets, material.sources, strict=False)]
    if material.compared is None:
        none = {k: np.zeros((0, f.shape[1]), np.float32) for k, f in sets[0].features.items()}
        return Described(tuple(sets), Seen(none, {}), Seen(none, {}), {})
    if "recogniser" in known:
        readers.append(partial(_norms, _recogniser(known, device)))
    found = _read(material.sources[-1], readers)
    sides = [
        _seen(faces, [f[at] for f in found])
        for faces, at in (
            (material.references, material.compared.references),
            (material.probes, material.compared.probes),
        )
    ]
    # A network that gives vectors of length 1 says nothing by it.
    if len(found) > 2 and np.ptp(found[2]) <= 1e-4 * float(found[2].mean()):
        sides = [replace(s, baselines={k: v for k, v in s.baselines.items() if k != NORM}) for s in sides]
    return Described(tuple(sets), sides[0], sides[1], {})


def _seen(faces: Faces, found: Sequence[NDArray[np.floating]]) -> Seen:
    a, b = (np.asarray(f, np.float32) for f in found[:2])
    baselines = {"random": np.zeros(len(faces))}
    if not np.isnan(faces.strength).any():
        baselines["intensity"] = -faces.strength
    if len(found) > 2:
        baselines[NORM] = np.asarray(found[2], np.float64)
    return Seen({"A": a, "B": b, "A+B": np.concatenate([a, b], 1)}, baselines)


def recognised(material: Material, known: Mapping[str, Given], *, device: str) -> tuple[Floats, Floats] | None:
    """Similarities of the mated and of the non-mated comparisons; None without comparisons or a recogniser."""
    if material.compared is None or "recogniser" not in known:
        return None
    embedded = _read(material.sources[-1], [partial(_embedded, _recogniser(known, device))])[0].astype(np.float64)
    references = material.compared.references[material.reference]
    pairs = np.concatenate([np.stack([references, material.compared.probes], 1), material.compared.nonmated])
    similarities = np.einsum("nd,nd->n", embedded[pairs[:, 0]], embedded[pairs[:, 1]])
    return similarities[: len(references)], similarities[len(references) :]


def _recogniser(known: Mapping[str, Given], device: str) -> Any:
    embedder = models.load(known["recogniser"].spec, device=device)
    if embedder.card.template is None:
        raise ParameterError(f"{embedder.card.name} has no crop template", do="complete its card")
    return embedder


def _read(source: Source, readers: Sequence[Reader]) -> list[NDArray[np.floating]]:
    """What each reader says of all faces of a source, batch by batch."""
    samples = datasets.open_dataset(source.spec).samples().subset(source.places)
    parts: list[list[NDArray[np.floating]]] = []
    for start, part in batches(samples.images, BATCH):
        for picture in part:
            if isinstance(picture, ImageError):
                # It was read when its face was looked for.
                raise picture
        pictures = [p for p in part if not isinstance(p, ImageError)]
        parts.append([read(pictures, source.points[start : start + len(part)]) for read in readers])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _features(network: Any, pictures: Pictures, points: NDArray[np.float32]) -> NDArray[np.floating]:
    found: NDArray[np.float32] = network.features(network.cut(pictures, points))
    return found


def _chips(embedder: Any, pictures: Pictures, points: NDArray[np.float32]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = align(pictures, points, embedder.card.template, embedder.card.input_size)
    return found


def _embedded(embedder: Any, pictures: Pictures, points: NDArray[np.float32]) -> NDArray[np.floating]:
    found: NDArray[np.float32] = embedder.embed(_chips(embedder, pictures, points))
    return found


def _norms(embedder: Any, pictures: Pictures, points: NDArray[np.float32]) -> NDArray[np.floating]:
    """Length of the embeddings before they are brought to length 1, ``(n,)``."""
    raw = embedder.engine(prepare(_chips(embedder, pictures, points), embedder.card))
    return np.asarray(np.linalg.norm(raw, axis=1), np.float64)
