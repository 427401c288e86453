"""`CurveExplorer` with 10^6 scores: a step of the threshold against the limit that a person notices."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

STEP_MS = 50.0
TRIALS = 1_000_000


def report(name: str, seconds: list[float], limit: float) -> None:
    """Median and worst in ms, and what share of the limit they are."""
    times = 1000 * np.array(seconds)
    middle, worst = float(np.median(times)), float(times.max())
    print(f"{name}: {middle:.2f} ms median, {worst:.2f} ms worst; "
          f"{middle / limit:.3f} and {worst / limit:.3f} of the limit of {limit:g} ms", flush=True)  # fmt: skip


def curves() -> None:
    """A step of the threshold over 10^6 scores: in the kernel, and from a pointer's move to the number in the page."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "widgets"))
    import comm
    import conftest as harness

    comm.create_comm = lambda **options: harness.Bridge(**options)
    from workbench.widgets import CurveExplorer

    rng = np.random.default_rng(0)
    scores = (rng.normal(3, 1, TRIALS // 20), rng.normal(0, 1, TRIALS - TRIALS // 20))
    start = time.perf_counter()
    shown = CurveExplorer(scores)
    print(f"curves, {TRIALS:,} scores: opened in {time.perf_counter() - start:.2f} s")
    taken = []
    for threshold in rng.uniform(-1, 4, 300):
        start = time.perf_counter()
        shown.comm.receive("update", {"threshold": float(threshold)})
        taken.append(time.perf_counter() - start)
        shown.comm.take()
    report("a step in the kernel", taken, STEP_MS)
    report("a step in the page", _dragged(harness, shown), STEP_MS)


def _dragged(harness: Any, shown: Any) -> list[float]:
    """Seconds from a pointer's move until the table shows the rates of that threshold."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=harness.browser_path(), args=["--no-sandbox", "--disable-gpu"])
        bench = harness.Bench(browser.new_page(viewport={"width": 1000, "height": 1000}))
        view = bench.show(shown)
        view.get_by_role("img", name="Scores of").wait_for()
        bench.page.wait_for_function("!document.querySelector('fieldset').disabled")
        taken = bench.page.evaluate(
            """async () => {
              const model = [...window.models.values()][0];
              const svg = document.querySelector(".fw-picks");
              const area = svg.getBoundingClientRect();
              const send = (kind, x) => svg.dispatchEvent(new PointerEvent(kind,
                { clientX: x, clientY: area.top + area.height / 2, pointerId: 1, button: 0, bubbles: true }));
              svg.setPointerCapture = () => {};
              send("pointerdown", area.left + 0.5 * area.width);
              const taken = [];
              for (let i = 0; i < 60; i++) {
                await new Promise((done) => setTimeout(done, 40));
                const before = document.querySelector("tbody td").textContent;
                const start = performance.now();
                send("pointermove", area.left + (0.3 + 0.6 * ((i * 7) % 60) / 60) * area.width);
                while (document.querySelector("tbody td").textContent === before && performance.now() - start < 2000)
                  await new Promise((done) => setTimeout(done, 0));
                taken.push((performance.now() - start) / 1000);
              }
              send("pointerup", area.left + 0.5 * area.width);
              return taken;
            }"""
        )
        browser.close()
    return list(map(float, taken))


if __name__ == "__main__":
    curves()
