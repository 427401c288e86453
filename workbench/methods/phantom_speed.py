"""Gates 6 and 7 of phantom faces: how fast they are drawn, in how much memory, and whether they are the same again."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import numpy as np

from ..core import RunError
from ..data import phantom
from ..files import sha256_bytes
from .phantom_gates import Gate, Verdict

REPEATS, BATCH = 7, 64
# Both draw so many pictures that the allocator has all that it wants: up to some hundred it still grows.
_FEW, _MANY = 512, 2048
CPU_RATE, GPU_RATE = 100.0, 20_000.0
# Mean absolute difference in 8-bit steps that another device may show, noise excluded.
DEVICE_TOLERANCE = 0.5


def speed(device: str = "cpu") -> Gate:
    """Gate 6: pictures a second at 112 px with default settings; memory of many against few."""
    import torch

    scene, _ = phantom.scenes(BATCH // 4, 4, seed=3)
    phantom.render(scene, 112, device=device)
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        phantom.render(scene, 112, device=device)
        taken.append(time.perf_counter() - start)
    rate, best = len(scene) / float(np.median(taken)), len(scene) / min(taken)
    few, many = added_memory(_FEW), added_memory(_MANY)
    on_gpu = device.startswith("cuda")
    required = GPU_RATE if on_gpu else CPU_RATE
    cores = "GPU" if on_gpu else f"{torch.get_num_threads()} threads"
    # The pictures themselves are returned, in parts and then joined, so that they are the memory that may grow.
    own = (_MANY - _FEW) * 112 * 112 * 3 / 2**20
    bounded = many - few < 2 * own + 32
    words = (
        f"{rate:.0f} pictures/s (best {best:.0f}) on {cores}; {_FEW} pictures add {few:.0f} MiB, {_MANY} add "
        f"{many:.0f} MiB, {own:.0f} of the difference are the pictures themselves"
    )
    verdict: Verdict = "met" if rate >= required and bounded else "missed"
    figures = {"rate": rate, "best": best, f"memory of {_FEW}": few, f"memory of {_MANY}": many}
    return Gate(
        6, "speed", f">= {required:g} pictures/s at 112 px, memory bounded by the batch", words, verdict, figures
    )


# The peak that the kernel keeps would be that of the imports: memory is looked at while the pictures are drawn.
_PEAK = """
import threading, psutil
from workbench.data import phantom
scene, _ = phantom.scenes({people}, 8, seed=3)
phantom.render(scene.take(range(32)), 112)
own, most, done = psutil.Process(), [0], threading.Event()
before = own.memory_info().rss
def look():
    while not done.wait(0.002):
        most[0] = max(most[0], own.memory_info().rss)
looking = threading.Thread(target=look)
looking.start()
shown = phantom.render(scene, 112)
done.set()
looking.join()
print(max(0, most[0] - before) / 2**20)
"""


def added_memory(pictures: int) -> float:
    """MiB that drawing so many pictures adds to a fresh process that has drawn before."""
    return float(_in_process(_PEAK.format(people=pictures // 8)))


_BITS = """
from workbench.data import phantom
from workbench.files import sha256_bytes
scene, _ = phantom.scenes(4, 2, seed=5)
print(sha256_bytes(phantom.render(scene, 112).rgb.tobytes()))
"""


def _in_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(
            "a fresh process could not draw phantoms", given=done.stderr.strip()[-400:], do="`workbench doctor`"
        )
    return done.stdout.strip()


def determinism() -> Gate:
    """Gate 7: another process gives the same bits; another device nearly the same picture."""
    import torch

    scene, _ = phantom.scenes(4, 2, seed=5)
    here = phantom.render(scene, 112).rgb
    same = _in_process(_BITS) == sha256_bytes(here.tobytes())
    figures: dict[str, Any] = {"same bits in another process": same}
    words = f"another process: {'the same bits' if same else 'other bits'}"
    met = same
    if torch.cuda.is_available():
        quiet = scene.replace(noise=0.0)
        there = phantom.render(quiet, 112, device="cuda").rgb.astype(int)
        away = float(np.abs(there - phantom.render(quiet, 112).rgb).mean())
        figures["difference of devices"] = away
        words += f"; GPU differs by {away:.3f} steps on average"
        met = met and away <= DEVICE_TOLERANCE
    else:
        words += "; no other device here"
    limit = f"same bits on one device; another within {DEVICE_TOLERANCE:g} of 255 steps on average"
    return Gate(7, "determinism", limit, words, "met" if met else "missed", figures)
