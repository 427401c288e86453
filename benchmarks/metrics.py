"""Measures at scale against the usual ways, same data, in turn; answers are checked equal before times count.

Each way runs in a process of its own, so that its peak memory is its own. `python benchmarks/metrics.py --large`
takes the sizes of the issue (10^8 scores, 10^9 comparisons); without it a tenth or less, for a quick look.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

FMRS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def scores(nonmated: int, mated: int) -> tuple[np.ndarray, np.ndarray]:
    """Non-mated and mated scores, float32."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(nonmated, np.float32), rng.standard_normal(mated, np.float32) + 4


def unit(n: int, d: int, seed: int) -> np.ndarray:
    """Unit vectors, made in pieces so that making them does not set the peak."""
    out = np.empty((n, d), np.float32)
    rng = np.random.default_rng(seed)
    for i in range(0, n, 50_000):
        part = rng.standard_normal((min(50_000, n - i), d), np.float32)
        out[i : i + 50_000] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return out


def fnmr_ours(n: int) -> Callable[[], Any]:
    from workbench.metrics.tail import fnmr_at_fmrs

    nonmated, mated = scores(n, n // 1000)
    return lambda: [float(e) for e in fnmr_at_fmrs(mated, nonmated, FMRS)]


def fnmr_sklearn(n: int) -> Callable[[], Any]:
    from sklearn.metrics import roc_curve

    nonmated, mated = scores(n, n // 1000)
    labels = np.r_[np.zeros(len(nonmated), bool), np.ones(len(mated), bool)]
    both = np.r_[nonmated, mated]

    def run() -> Any:
        fmr, tmr, _ = roc_curve(labels, both, drop_intermediate=False)
        return [float(1 - tmr[np.searchsorted(fmr, f, side="right") - 1]) for f in FMRS]

    return run


def fnmr_bob(n: int) -> Callable[[], Any]:
    """In an interpreter of its own, named by BOB_PYTHON: it needs NumPy 1.26.

    Its threshold is a non-mated score, ours any score: where scores are sparse the FNMR differs a little.
    """
    from bob.measure import roc_for_far

    # Compiling is not what is measured.
    roc_for_far(np.arange(100.0), np.arange(100.0) + 50, list(FMRS))
    nonmated, mated = (v.astype(np.float64) for v in scores(n, n // 1000))
    return lambda: [float(f) for f in roc_for_far(nonmated, mated, list(FMRS))[1]]


def templates(n: int) -> tuple[Any, ...]:
    """Image features, their media and templates, and template pairs: IJB-C's proportions."""
    rng = np.random.default_rng(0)
    count = max(20, n * 23_124 // 469_375)
    template = np.sort(rng.integers(0, count, n))
    template[:count] = np.arange(count)
    template.sort()
    media = rng.integers(0, 5, n) + 5 * template
    people = np.arange(count) // 7
    pairs = rng.integers(0, count, (n * 100 // 3, 2))
    features = unit(n, 512, 1) + unit(count // 7 + 1, 512, 2)[people[template]]
    return features, template, media, pairs, people[pairs[:, 0]] == people[pairs[:, 1]], count


def ijb_ours(n: int) -> Callable[[], Any]:
    from workbench.metrics.tail import fnmr_at_fmrs
    from workbench.metrics.templates import dot_products, media_templates

    features, template, media, pairs, mated, _ = templates(n)

    def run() -> Any:
        pooled = media_templates(features, template, media)
        found = dot_products(pooled.features, pairs)
        return [float(e) for e in fnmr_at_fmrs(found[mated], found[~mated], FMRS[2:])]

    return run


def ijb_recipe(n: int) -> Callable[[], Any]:
    """Pool in a loop over templates and media, gather and multiply pairs in blocks, scikit-learn's curve."""
    from sklearn.metrics import roc_curve

    features, template, media, pairs, mated, count = templates(n)

    def run() -> Any:
        pooled = np.zeros((count, features.shape[1]))
        for t in range(count):
            (rows,) = np.where(template == t)
            total = np.zeros(features.shape[1])
            for m in np.unique(media[rows]):
                total += features[rows[media[rows] == m]].mean(axis=0)
            pooled[t] = total / np.linalg.norm(total)
        found = np.zeros(len(pairs))
        for i in range(0, len(pairs), 100_000):
            one, other = pairs[i : i + 100_000].T
            found[i : i + 100_000] = (pooled[one] * pooled[other]).sum(axis=1)
        fmr, tmr, _ = roc_curve(mated, found, drop_intermediate=False)
        return [float(1 - tmr[np.searchsorted(fmr, f, side="right") - 1]) for f in FMRS[2:]]

    return run


def search_ours(n: int) -> Callable[[], Any]:
    import torch  # noqa: F401  # loading it is not what is measured

    from workbench.methods.search import search

    references, probes = unit(n, 512, 0), unit(1000, 512, 1)
    return lambda: search(references, probes, 10, device="cpu").references[:, 0].tolist()


def search_faiss(n: int) -> Callable[[], Any]:
    import faiss

    references, probes = unit(n, 512, 0), unit(1000, 512, 1)
    index = faiss.IndexFlatIP(512)
    index.add(references)
    return lambda: index.search(probes, 10)[1][:, 0].tolist()


def sides(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    gallery = np.arange(n // 5)
    probers = np.r_[rng.integers(0, len(gallery), n // 10), len(gallery) + np.arange(n // 10)]
    centres = unit(len(gallery) + n // 10, 128, 0)
    embed = [centres[who] + 0.8 * unit(len(who), 128, s) for s, who in ((1, gallery), (2, probers))]
    return [(e / np.linalg.norm(e, axis=1, keepdims=True)).astype(np.float32) for e in embed], gallery, probers


def open_ours(n: int) -> Callable[[], Any]:
    import torch  # noqa: F401  # loading it is not what is measured

    from workbench.methods.allpairs import Side
    from workbench.methods.search import searches
    from workbench.metrics.identification import fnir_at_fpir

    (references, probes), gallery, probers = sides(n)

    def run() -> Any:
        found = searches(Side(references, gallery), Side(probes, probers), device="cpu")
        return [float(fnir_at_fpir(found, f, rank=20, resamples=0)) for f in (0.1, 0.01)]

    return run


def open_numpy(n: int) -> Callable[[], Any]:
    """The usual recipe: each probe's scores sorted, one probe after the other."""
    (references, probes), gallery, probers = sides(n)

    def run() -> Any:
        known = probers < len(gallery)
        rank, mate, top = np.zeros(len(probers), int), np.full(len(probers), -np.inf), np.zeros(len(probers))
        for i, probe in enumerate(probes):
            row = references @ probe
            order = np.argsort(-row)
            top[i] = row[order[0]]
            if known[i]:
                rank[i], mate[i] = 1 + np.flatnonzero(gallery[order] == probers[i])[0], row[probers[i]]
        answers = []
        for target in (0.1, 0.01):
            false = np.sort(top[~known])
            bound = false[len(false) - 1 - int(target * len(false))]
            answers.append(float(np.mean((mate[known] <= bound) | (rank[known] > 20))))
        return answers

    return run


def interval_data(n: int) -> tuple[np.ndarray, np.ndarray]:
    return scores(n, 10_000)


def interval_ours(n: int) -> Callable[[], Any]:
    from workbench.metrics.tail import tail_of
    from workbench.metrics.tail_intervals import of_independent

    nonmated, mated = interval_data(n)

    def run() -> Any:
        found = of_independent(tail_of(mated, nonmated, fmr=3e-3), 1e-3)
        return [float(found.low), float(found.high)]  # type: ignore[arg-type]

    return run


def interval_scipy(n: int) -> Callable[[], Any]:
    from scipy import stats

    nonmated, mated = interval_data(n)
    at = n - 1 - int(1e-3 * n)

    def statistic(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean(one <= np.partition(other, at)[at]))

    def run() -> Any:
        found = stats.bootstrap((mated, nonmated), statistic, n_resamples=1000, vectorized=False, method="percentile",
                                rng=np.random.default_rng(0)).confidence_interval  # fmt: skip
        return [float(found.low), float(found.high)]

    return run


def interval_people(n: int) -> Callable[[], Any]:
    """All pairs of 1,000 people's pictures: as many comparisons, resampled by people."""
    from workbench.core import Scores, Trials
    from workbench.metrics import fnmr_at_fmr

    nonmated, mated = interval_data(n)
    rng = np.random.default_rng(1)
    one = rng.integers(0, 1000, n)
    subjects = np.r_[
        np.c_[one, (one + rng.integers(1, 1000, n)) % 1000], np.repeat(rng.integers(0, 1000, 10_000), 2).reshape(-1, 2)
    ]
    values = np.r_[nonmated, mated].astype(np.float64)
    index = np.arange(len(values))
    trials = Trials(index, index, subjects[:, 0] == subjects[:, 1], subjects)
    given = Scores("m", trials, values, np.ones(len(values), bool))

    def run() -> Any:
        found = fnmr_at_fmr(given, 1e-3)
        return [float(found.low), float(found.high)]  # type: ignore[arg-type]

    return run


def pairs_ours(n: int) -> Callable[[], Any]:
    import torch  # noqa: F401  # loading it is not what is measured

    from workbench.methods.allpairs import Plan, Side, compare_all

    one, other = unit(n, 128, 0), unit(n, 128, 1)
    subjects = np.arange(n) // 4
    plan = Plan(Side(one, subjects), Side(other, subjects), fmr=1e-4)
    return lambda: compare_all(plan, device="cpu").tail.nonmated


def pairs_product(n: int) -> Callable[[], Any]:
    """The bare matrix product of the same tiles, nothing looked at."""
    import torch

    one, other = torch.from_numpy(unit(n, 128, 0)), torch.from_numpy(unit(n, 128, 1))

    def run() -> Any:
        out = torch.empty(2048, 2048)
        for i in range(0, n, 2048):
            for j in range(0, n, 2048):
                left, right = one[i : i + 2048], other[j : j + 2048]
                torch.mm(left, right.T, out=out if out.shape == (len(left), len(right)) else None)
        return 0

    return run


Way = Callable[[int], Callable[[], Any]]

# Name: ways (ours first), small and large size, rounds, and how close the answers must be (None: not compared).
RACES: dict[str, tuple[dict[str, Way], int, int, int, float | None]] = {
    "1 FNMR at six FMRs": (
        {"ours": fnmr_ours, "scikit-learn": fnmr_sklearn, "bob.measure": fnmr_bob}, 10_000_000, 100_000_000, 3, 1e-9,
    ),
    "2 IJB-C protocol": ({"ours": ijb_ours, "recipe": ijb_recipe}, 46_937, 469_375, 3, 1e-3),
    "3 exact 1:N search": ({"ours": search_ours, "FAISS flat": search_faiss}, 200_000, 1_000_000, 3, 0),
    "4 FPIR and FNIR with ranks": ({"ours": open_ours, "NumPy, argsort": open_numpy}, 50_000, 100_000, 3, 1e-3),
    "7a interval, independent": ({"ours": interval_ours, "scipy": interval_scipy}, 200_000, 1_000_000, 3, 0.004),
    "7b interval, by people": ({"people": interval_people, "independent": interval_ours}, 200_000, 1_000_000, 5, None),
    "8 all pairs": ({"ours": pairs_ours, "matrix product": pairs_product}, 10_000, 31_623, 3, None),
}  # fmt: skip


def one(race: str, way: str, size: int) -> None:
    """Run in a process of its own: answer, seconds, and memory above what the data took."""
    run = RACES[race][0][way](size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    answer = run()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"answer": answer, "seconds": seconds, "MB": (after - before) / 1024, "peak MB": after / 1024}))


def turn(name: str, way: str, size: int) -> dict[str, Any]:
    """One run in a fresh process."""
    python = os.environ["BOB_PYTHON"] if way == "bob.measure" else sys.executable
    out = subprocess.run([python, __file__, "--one", name, way, str(size)], capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr)
    found: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return found


def race(name: str, size: int) -> None:
    """All ways in turn."""
    ways, _, _, rounds, close = RACES[name]
    entered = [w for w in ways if w != "bob.measure" or "BOB_PYTHON" in os.environ]
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in entered}
    for _ in range(rounds):
        for way in entered:
            found[way].append(turn(name, way, size))
    medians = {}
    for way, runs in found.items():
        seconds = [r["seconds"] for r in runs]
        medians[way] = float(np.median(seconds))
        above, peak = min(r["MB"] for r in runs), min(r["peak MB"] for r in runs)
        time_taken = f"{min(seconds):.3f} s least, {medians[way]:.3f} s median"
        print(f"{name}, {size:,}: {way} {time_taken}, {above:,.0f} MB above the data, {peak:,.0f} MB in all")
    for way in entered[1:]:
        ratio = f"{name}: {way} takes {medians[way] / medians[entered[0]]:.2f} times as long (medians)"
        if close is not None:
            apart = np.abs(np.subtract(found[entered[0]][0]["answer"], found[way][0]["answer"])).max()
            assert apart <= (5e-3 if way == "bob.measure" else close), (
                found[entered[0]][0]["answer"],
                found[way][0]["answer"],
            )
            ratio += f"; answers differ by at most {apart:.2g}"
        print(ratio, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", default="", help="races whose name starts so")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        one(chosen.one[0], chosen.one[1], int(chosen.one[2]))
        return
    for name, (_, small, large, _, _) in RACES.items():
        if name.startswith(chosen.only):
            race(name, large if chosen.large else small)


if __name__ == "__main__":
    main()
