"""Phantom faces on a GPU: pictures a second, where the time goes, and how far another device's pictures differ.

``python benchmarks/phantom_gpu.py [--device cuda]``
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from workbench.data import phantom
from workbench.data.phantom import picture
from workbench.data.phantom.sensor import develop, read_out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--pictures", type=int, default=4096 if torch.cuda.is_available() else 256)
    chosen = parser.parse_args()
    device = chosen.device
    print(torch.cuda.get_device_name() if device == "cuda" else "CPU", torch.__version__, torch.get_num_threads())
    scene, _ = phantom.scenes(max(1, chosen.pictures // 8), 8, seed=3)
    rates(scene, device)
    steps(scene, device)
    differences(device)
    if device == "cuda":
        kernels(scene)


def rates(scene: phantom.Scene, device: str) -> None:
    for chunk in (64, 256, 1024):
        picture.GPU_CHUNK = chunk
        phantom.render(scene.take(range(min(len(scene), chunk))), 112, device=device)
        start = time.perf_counter()
        phantom.render(scene, 112, device=device)
        taken = time.perf_counter() - start
        print(f"render, chunks of {chunk}: {len(scene) / taken:.0f} pictures/s", flush=True)
    picture.GPU_CHUNK = 1024


def steps(scene: phantom.Scene, device: str) -> None:
    """One thread, one chunk after another: milliseconds a picture of each step."""
    part = scene.take(range(min(256, len(scene))))
    for _ in range(4):
        with torch.no_grad():
            spent = _once(part, device)
    for name, seconds in spent.items():
        print(f"{name}: {1000 * seconds / len(part):.4f} ms a picture", flush=True)


def _once(part: phantom.Scene, device: str) -> dict[str, float]:
    spent: dict[str, float] = {}
    last = time.perf_counter()

    def done(name: str) -> None:
        nonlocal last
        if device == "cuda":
            torch.cuda.synchronize()
        spent[name] = time.perf_counter() - last
        last = time.perf_counter()

    t = picture.tensors(part, device)
    done("factors to the device")
    layers = picture.Layers.of(t, 224)
    done("surface, colour, light")
    seen = develop(layers.picture, t)
    done("blur and encoding")
    read_out(seen, t, part.sensor)
    done("noise and JPEG")
    return spent


def differences(device: str) -> None:
    scene, _ = phantom.scenes(16, 4, seed=5)
    quiet = scene.replace(noise=0.0, jpeg=0)
    truth = ("landmarks68", "depth", "parsing", "nir")
    there, here = (phantom.render(quiet, 112, device=d, truth=truth) for d in (device, "cpu"))
    away = np.abs(there.rgb.astype(int) - here.rgb)
    print(f"RGB differs by {away.mean():.5f} of 255 on average, more than 2 in {(away > 2).mean():.6f} of values")
    print(f"landmarks: {np.abs(np.asarray(there.landmarks68) - here.landmarks68).max():.6f} px at most")
    print(f"parsing: {(np.asarray(there.parsing) != here.parsing).mean():.6f} of pixels differ")
    again = phantom.render(quiet, 112, device=device).rgb
    print("the same bits again:", np.array_equal(again, there.rgb))
    part = phantom.render(quiet.take([5, 40]), 112, device=device).rgb
    print("the same bits alone:", np.array_equal(part, there.rgb[[5, 40]]), flush=True)


def kernels(scene: phantom.Scene) -> None:
    part = scene.take(range(256))
    t = picture.tensors(part, "cuda")
    with torch.no_grad(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        picture.Layers.of(t, 224)
        torch.cuda.synchronize()
    print(profile.key_averages().table(sort_by="cuda_time_total", row_limit=14, max_name_column_width=70))


if __name__ == "__main__":
    main()
