"""Embedding: the recogniser's default path against bare ONNX Runtime float32 on the same chips, in turn."""

import time

import numpy as np
import onnxruntime

from workbench.models import load
from workbench.models.catalog import torch_network
from workbench.models.engines import export_onnx


def main(batches: tuple[int, ...] = (1, 32, 256), rounds: int = 5) -> None:
    model = load("faceapi-recogniser")
    bare = onnxruntime.InferenceSession(
        export_onnx(torch_network("faceapi-recogniser"), (150, 150)), providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(0)
    print(model.provider)
    for batch in batches:
        x = rng.standard_normal((batch, 3, 150, 150)).astype(np.float32) * 0.3
        times = {"ours": [], "onnxruntime": []}
        for _ in range(rounds + 1):
            start = time.perf_counter()
            ours = model.engine(x)
            times["ours"].append(time.perf_counter() - start)
            start = time.perf_counter()
            theirs = bare.run(None, {"images": x})[0]
            times["onnxruntime"].append(time.perf_counter() - start)
        unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (ours, theirs)]
        cosine = float((unit[0] * unit[1]).sum(1).min())
        best = {name: batch / min(seconds[1:]) for name, seconds in times.items()}
        ratio = np.median(times["onnxruntime"][1:]) / np.median(times["ours"][1:])
        print(f"batch {batch}: {best} images/s best; ratio of medians {ratio:.2f}; lowest cosine {cosine:.5f}")


if __name__ == "__main__":
    main()
