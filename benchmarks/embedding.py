"""Embedding: the recogniser's default path against bare ONNX Runtime float32 on the same chips, in turn."""

import time
from collections.abc import Callable

import numpy as np
import onnxruntime

from workbench.models import load
from workbench.models.catalog import torch_network
from workbench.models.engines import export_onnx


def turn(embed: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Seconds of one run. The pause and the run before it let the other one's waiting threads go to sleep."""
    time.sleep(0.3)
    embed()
    start = time.perf_counter()
    out = embed()
    return time.perf_counter() - start, out


def main(batches: tuple[int, ...] = (1, 32, 256), rounds: int = 10) -> None:
    model = load("faceapi-recogniser")
    bare = onnxruntime.InferenceSession(
        export_onnx(torch_network("faceapi-recogniser"), (150, 150)), providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(0)
    print(model.provider)
    for batch in batches:
        x = rng.standard_normal((batch, 3, 150, 150)).astype(np.float32) * 0.3
        ways = {"ours": lambda x=x: model.engine(x), "onnxruntime": lambda x=x: bare.run(None, {"images": x})[0]}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        unit = {}
        for _ in range(rounds):
            for name, way in ways.items():
                taken, out = turn(way)
                seconds[name].append(taken)
                unit[name] = out / np.linalg.norm(out, axis=1, keepdims=True)
        cosine = float((unit["ours"] * unit["onnxruntime"]).sum(1).min())
        said = {name: f"{batch / min(t):.0f} best, {batch / np.median(t):.0f} median" for name, t in seconds.items()}
        ratio = np.median(seconds["onnxruntime"]) / np.median(seconds["ours"])
        print(f"batch {batch}, images/s: {said}; ratio of medians {ratio:.2f}; lowest cosine {cosine:.5f}")


if __name__ == "__main__":
    main()
