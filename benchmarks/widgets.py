"""Widgets: seconds from what a person does to what they see, against the limit that was set beforehand.

``python benchmarks/widgets.py [section ...]``; the browser's part needs Chromium and playwright.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HARNESS = Path(__file__).parents[1] / "tests" / "widgets" / "conftest.py"
DROP = """async (bytes) => {
  const region = document.querySelectorAll(".fw-input")[1].querySelector(".fw-drop");
  const decision = document.querySelector(".fw-verify .fw-outcomes");
  const before = decision.textContent;
  const start = performance.now();
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], "probe.png", { type: "image/png" }));
  region.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
  while (decision.textContent === before) await new Promise((done) => setTimeout(done, 5));
  return (performance.now() - start) / 1000;
}"""


def verify(rounds: int = 12, limit: float = 0.7) -> None:
    """Picture dropped to decision shown, face-api's models, everything warm."""
    from workbench import files
    from workbench.data import phantom
    from workbench.widgets import Verify

    people = phantom.faces(3, 2, size=250, seed=1)
    pictures = [files.encode_png(people.images[i]) for i in (1, 2)]
    widget = Verify(people.images[0], real=False)
    widget.gather()
    taken, worked = [], []
    for turn in range(rounds + 1):
        start, before = time.perf_counter(), time.process_time()
        question = {"ask": "take", "id": turn, "with": {"name": "probe.png"}}
        widget.probe._handle_custom_msg(question, [pictures[turn % 2]])
        while not (widget.settle(10) and widget.results):
            pass
        taken.append(time.perf_counter() - start)
        worked.append(time.process_time() - before)
    print(f"verify, processor time of all threads: median {statistics.median(worked[1:]) * 1000:.0f} ms")
    report("verify, picture sent to decision in Python", taken[1:], limit)
    in_browser(lambda page, n: page.evaluate(DROP, list(pictures[n % 2])), widget.__class__, people, rounds, limit)


def in_browser(act: Callable[[Any, int], float], kind: type, people: Any, rounds: int, limit: float) -> None:
    """The same through Chromium and the bridge of the tests, where there is one."""
    import comm

    spec = importlib.util.spec_from_file_location("harness", HARNESS)
    if spec is None or spec.loader is None or importlib.util.find_spec("playwright") is None:
        print("no browser harness here: the part in the browser is not measured")
        return
    harness = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(harness)
    from playwright.sync_api import sync_playwright

    made, comm.create_comm = comm.create_comm, lambda **options: harness.Bridge(**options)
    try:
        with sync_playwright() as driver:
            chromium = driver.chromium.launch(executable_path=harness.browser_path(), args=["--no-sandbox"])
            bench = harness.Bench(chromium.new_page())
            widget = kind(people.images[0], people.images[1], real=False)
            bench.show(widget)
            bench.page.locator(".fw-mated").wait_for(timeout=600_000)
            taken = [act(bench.page, turn + 1) for turn in range(rounds + 1)]
            report("verify, picture dropped to decision shown in Chromium", taken[1:], limit)
            chromium.close()
    finally:
        comm.create_comm = made


def report(name: str, taken: list[float], limit: float) -> None:
    middle = statistics.median(taken)
    print(f"{name}: median {middle * 1000:.0f} ms, best {min(taken) * 1000:.0f}, worst {max(taken) * 1000:.0f} of "
          f"{len(taken)}; limit {limit * 1000:.0f} ms, {middle / limit:.2f} of it; "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")  # fmt: skip


def identify(references: int = 10_000, rounds: int = 20, limit: float = 0.05) -> None:
    """A search of ten thousand references, from embedding to candidates."""
    from workbench.methods.allpairs import Side
    from workbench.methods.search import ranking

    vectors = np.random.default_rng(0).standard_normal((references, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    side = Side(vectors, np.arange(references))
    taken = []
    for turn in range(rounds + 1):
        start = time.perf_counter()
        ranking(side, vectors[turn], 10)
        taken.append(time.perf_counter() - start)
    report(f"identify, {references:,} references ranked", taken[1:], limit)


SECTIONS: dict[str, Callable[[], None]] = {"verify": verify, "identify": identify}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("WORKBENCH_HOME", home)
        for section in sys.argv[1:] or SECTIONS:
            SECTIONS[section]()
