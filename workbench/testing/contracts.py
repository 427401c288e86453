"""Contract checks for the author of a plug-in: call one in a test of your own, and it names every broken promise.

    from workbench.testing.contracts import check_dataset
    def test_mine():
        check_dataset(open_mine())

Each check returns nothing, or raises `ContractError` with all that is wrong, not only the first thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core import Estimate, NoTrialsError, Samples, Scores, Trials, Undefined, WorkbenchError


class ContractError(WorkbenchError):
    """A contribution breaks promises that others build on."""


def _raise(kind: str, name: str, broken: list[str]) -> None:
    if broken:
        raise ContractError(
            f"the {kind} {name!r} breaks {len(broken)} promise{'s' if len(broken) > 1 else ''}",
            given="\n    ".join(["", *broken]),
            do="see CONTRIBUTING.md, and run the check again",
        )


def check_dataset(dataset: Any) -> None:
    """A data set: names, terms, digest, protocols whose trials point at samples of the right people."""
    _raise("data set", str(getattr(dataset, "name", dataset)), list(_dataset(dataset)))


def _dataset(dataset: Any) -> Iterator[str]:
    for name, kind in {"name": str, "licence": str, "real": bool, "digest": str, "protocols": tuple}.items():
        value = getattr(dataset, name, None)
        if not isinstance(value, kind) or value in ("", ()):
            yield f"{name}: given {value!r}, expected a {kind.__name__} that is not empty"
    protocols = getattr(dataset, "protocols", ())
    for protocol in protocols if isinstance(protocols, tuple) else ():
        samples = dataset.samples(protocol)
        if not len(samples):
            yield f"{protocol}: no samples"
            continue
        image = samples.images[0]
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            yield f"{protocol}: given {image.dtype} {image.shape}, expected pictures uint8 (h, w, 3), RGB"
        try:
            trials, again = dataset.trials(protocol), dataset.trials(protocol)
        except NoTrialsError:
            if not samples.attributes:
                yield f"{protocol}: it has neither trials nor attributes"
            continue
        yield from _trials(protocol, samples, trials)
        if not (np.array_equal(again.reference, trials.reference) and np.array_equal(again.probe, trials.probe)):
            yield f"{protocol}: trials differ when they are asked for twice"


def _trials(protocol: str, samples: Samples, trials: Trials) -> Iterator[str]:
    ends = np.concatenate([trials.reference, trials.probe])
    if len(ends) and not (ends.min() >= 0 and ends.max() < len(samples)):
        yield f"{protocol}: trials point at sample {ends.max()}, there are {len(samples)}"
        return
    people = np.asarray(samples.subjects)
    if np.any((people[trials.reference] == people[trials.probe]) != trials.mated):
        yield f"{protocol}: trials say mated where the samples show two people, or the other way round"
    if np.any(trials.reference == trials.probe):
        yield f"{protocol}: a sample is compared with itself"


def check_model(spec: str) -> None:
    """A model: a complete card, outputs of the shape that it says, the same for a picture alone and in a batch."""
    from .. import models

    card = models.card(spec)
    broken = [*_card(card), *_model(models.load(spec, device="cpu"))]
    if card.task == "attack-detection":
        broken += _attack_detector(models.attack_detector(spec, device="cpu"))
    _raise("model", spec, broken)


def _card(card: Any) -> Iterator[str]:
    for name in ("name", "crop", "output", "licence", "source"):
        if not getattr(card, name):
            yield f"card: {name} is empty"
    if card.task == "embedding" and (card.template is None or card.dimension < 1):
        yield "card: an embedder says its crop template and its dimension"
    for fmr, (_, origin) in card.operating_points.items():
        if not 0 < fmr < 1 or not origin:
            yield f"card: the threshold at FMR {fmr} needs a rate between 0 and 1, and where it was measured"


def pictures(count: int, size: tuple[int, int]) -> Any:
    """Smooth seeded pictures ``uint8 (count, h, w, 3)``: no faces, but not noise either."""
    y, x = (np.linspace(0, 1, n) for n in size)
    waves = [[np.sin(2 * np.pi * ((i + c + 1) * y[:, None] + (c + 1) * x) + i) for c in range(3)] for i in range(count)]
    return np.round(127.5 + 100 * np.moveaxis(np.array(waves), 1, -1)).astype(np.uint8)


def _model(model: Any) -> Iterator[str]:
    if not getattr(model, "provider", ""):
        yield "provider: what really runs the model is not said"
    card = model.card
    if hasattr(model, "engine"):
        yield from _engine(model.engine, card.input_size)
    if not hasattr(model, "embed"):
        return
    chips = pictures(3, card.input_size)
    found = model.embed(chips)
    if found.shape != (3, card.dimension) or found.dtype != np.float32:
        yield f"embed: given {found.dtype} {found.shape}, expected float32 (3, {card.dimension})"
        return
    if card.normalised and not np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3):
        yield "embed: vectors are not of unit length, though the card says so"
    if float((found[0] * model.embed(chips[:1])[0]).sum()) < 0.999 * float((found[0] ** 2).sum()):
        yield "embed: a picture alone has another embedding than in a batch"
    if np.allclose(found[0], found[1]):
        yield "embed: different pictures have the same embedding"


def _attack_detector(detector: Any) -> Iterator[str]:
    """Attack scores of faces, alone and in a batch."""
    shown, boxes = list(pictures(3, (160, 120))), np.array([[40, 50, 80, 100]] * 3, np.float32)
    scores = detector.scores(shown, boxes)
    if scores.shape != (3,) or scores.dtype != np.float64:
        yield f"scores: given {scores.dtype} {scores.shape}, expected float64 (3,)"
    elif not np.all((scores >= 0) & (scores <= 1)):
        yield f"scores: given {scores.min():g} to {scores.max():g}, expected 0 to 1"
    elif abs(detector.scores(shown[:1], boxes[:1])[0] - scores[0]) > 0.02:
        yield "scores: a face alone has another score than in a batch"


def _engine(engine: Any, size: tuple[int, int]) -> Iterator[str]:
    """The network on pictures, alone and in a batch."""
    prepared = (pictures(3, size).transpose(0, 3, 1, 2) / 255.0 - 0.5).astype(np.float32)
    together, alone = engine(prepared), engine(prepared[:1])
    if not np.all(np.isfinite(together)):
        yield "network: an output is not finite"
    elif len(together) != 3 or together.shape[1:] != alone.shape[1:]:
        yield f"network: given {together.shape} for three pictures and {alone.shape} for one"
    elif np.linalg.norm(together[0] - alone[0]) > 0.02 * np.linalg.norm(alone[0]):
        yield "network: a picture alone has another output than in a batch"


def check_study(slug: str) -> None:
    """A study: title, claims on named quantities, scales that its notebook knows, a notebook that forms can show."""
    from .. import studies
    from ..runs.parameters import COMMON, schema

    listed = studies.listing(slug)
    broken = []
    study = getattr(studies.load(slug), "STUDY", None)
    if study is None:
        broken.append("STUDY: the module has none")
    if not listed.notebook.is_file():
        broken.append(f"notebook: {listed.notebook.name} is not there")
    if not broken:
        broken = [*_parameters(study, schema(listed.notebook), COMMON), *_claims(study, listed)]
    _raise("study", slug, broken)


def _parameters(study: Any, known: Any, common: tuple[str, ...]) -> Iterator[str]:
    if missing := [n for n in common if n not in known]:
        yield f"parameters: {', '.join(missing)} missing in the parameters cell"
    for scale, sizes in study.scales.items():
        for name in sizes:
            if name not in known:
                yield f"scale {scale}: {name!r} is no parameter of the notebook"
            elif known[name].default is not None:
                yield f"scale {scale}: {name!r} has a default of its own, expected None (by scale)"
    for name, p in known.items():
        if not p.help:
            yield f"parameter {name}: no comment says what it means"
        if p.kind in ("int", "float") and p.low is None and not p.choices:
            yield f"parameter {name}: no range [low, high]"


def _claims(study: Any, listed: Any) -> Iterator[str]:
    if "arXiv" not in listed.title and "doi" not in listed.title.lower():
        yield f"title: given {listed.title!r}, expected the paper's title and its arXiv number or DOI"
    if len({c.id for c in study.claims}) != len(study.claims):
        yield "claims: an id is given twice"
    for claim in study.claims:
        if not claim.parts:
            yield f"claim {claim.id}: it compares nothing, so nothing can refute it"
    if not study.reported:
        yield "reported: what did the paper report?"


def check_metric(metric: Callable[[Scores], Estimate]) -> None:
    """A measure of verification scores: order of trials does not matter, and without data it is undefined."""
    _raise("measure", getattr(metric, "__name__", str(metric)), list(_metric(metric)))


def _scores(n: int, m: int, order: Any = None) -> Scores:
    rng = np.random.default_rng(0)
    subjects = np.r_[np.repeat(np.arange(n), 2).reshape(-1, 2), np.c_[np.arange(m), np.arange(m) + 1]].reshape(-1, 2)
    values = np.r_[rng.normal(2, 1, n), rng.normal(0, 1, m)]
    order = np.arange(n + m) if order is None else order
    index = np.arange(n + m)
    trials = Trials(index, index, (subjects[:, 0] == subjects[:, 1])[order], subjects[order])
    return Scores("checked", trials, values[order], np.ones(n + m, bool))


def _metric(metric: Callable[[Scores], Estimate]) -> Iterator[str]:
    found = metric(_scores(30, 60))
    if not isinstance(found, Estimate) or not found.defined:
        yield f"on plain scores: given {found!r}, expected an Estimate with a value"
        return
    if not found.rule:
        yield "rule: the estimate does not say its definition in words"
    if not found.counts:
        yield "counts: the estimate does not say what it rests on"
    shuffled = metric(_scores(30, 60, np.random.default_rng(1).permutation(90)))
    if not np.isclose(float(shuffled), float(found), rtol=1e-12):
        yield f"order of trials: {float(found)!r} becomes {float(shuffled)!r} when they are shuffled"
    for what, n, m in (("without trials", 0, 0), ("without mated trials", 0, 60), ("without non-mated trials", 30, 0)):
        try:
            empty = metric(_scores(n, m))
        except (ArithmeticError, IndexError, ValueError, WorkbenchError) as error:
            yield f"{what}: raised {type(error).__name__}, expected an Undefined value with its reason"
            continue
        if not (isinstance(empty, Estimate) and isinstance(empty.value, Undefined)):
            yield f"{what}: given {empty}, expected an Undefined value with its reason"
