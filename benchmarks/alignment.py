"""Similarity transforms: our batched closed form against scikit-image's estimate for each face, in turn."""

import time

import numpy as np
from skimage.transform import SimilarityTransform

from workbench.models.alignment import similarity
from workbench.models.cards import DLIB_150


def main(faces: int = 5000, rounds: int = 10) -> None:
    rng = np.random.default_rng(0)
    points = np.array(DLIB_150) * rng.uniform(0.5, 2, (faces, 1, 1)) + rng.normal(0, 4, (faces, 5, 2))
    target = np.array(DLIB_150)
    times = {"ours": [], "scikit-image": []}
    for _ in range(rounds):
        start = time.perf_counter()
        ours = similarity(points, target)
        times["ours"].append(time.perf_counter() - start)
        start = time.perf_counter()
        theirs = np.stack([SimilarityTransform.from_estimate(p, target).params[:2] for p in points])
        times["scikit-image"].append(time.perf_counter() - start)
    assert np.allclose(ours, theirs, atol=1e-7)
    for name, seconds in times.items():
        print(f"{name}: {faces / min(seconds):,.0f} faces/s best, {faces / np.median(seconds):,.0f} median")
    print(f"ratio of medians: {np.median(times['scikit-image']) / np.median(times['ours']):.0f}")


if __name__ == "__main__":
    main()
