"""The side panel: seconds from the server's start until it can be used, and the memory that the extension takes.

JupyterLab is started in a scratch folder, with the extension and as it comes, each in Chromium. There is no limit that
was set beforehand: the ratio is to JupyterLab as it comes. Needs Chromium and playwright.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

HARNESS = Path(__file__).parents[1] / "tests" / "browser" / "conftest.py"
ROUNDS = 3
RESTORED = "() => window.jupyterapp.restored.then(() => true)"


def harness() -> Any:
    """The browser tests' own way to start JupyterLab."""
    spec = importlib.util.spec_from_file_location("harness", HARNESS)
    if spec is None or spec.loader is None or importlib.util.find_spec("playwright") is None:
        sys.exit("playwright is missing: install the package with its extra 'dev'")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def visit(chromium: Any, tools: Any, *, extended: bool) -> dict[str, float]:
    """Start a server, open JupyterLab, and the panel where there is one."""
    with tempfile.TemporaryDirectory() as place:
        lab = tools.Lab(Path(place), extended=extended)
        found = {"server answers, s": time.monotonic() - lab.began}
        page = chromium.new_page()
        page.goto(f"{lab.url}/{tools.START}&token={tools.TOKEN}")
        page.wait_for_function("window.jupyterapp", timeout=120_000)
        page.evaluate(RESTORED)
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        found["JupyterLab can be used, s"] = time.monotonic() - lab.began
        if extended:
            page.wait_for_function("window.jupyterapp.commands.hasCommand('face-workbench:open-studies')")
            page.evaluate("() => { window.jupyterapp.commands.execute('face-workbench:open-studies'); }")
            page.get_by_role("region", name="Studies", exact=True).locator(".fwl-study").first.wait_for(timeout=60_000)
            found["panel filled, s"] = time.monotonic() - lab.began
        # What was only needed to start is given back by then.
        time.sleep(5)
        found["server's memory, MiB"] = psutil.Process(lab.pid).memory_info().rss / 2**20
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        found["browser's heap, MiB"] = metrics["JSHeapUsedSize"] / 2**20
        page.close()
        lab.stop()
    return found


def main() -> None:
    from playwright.sync_api import sync_playwright

    tools = harness()
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=tools.browser_path(), args=["--no-sandbox"])
        rounds = [[visit(chromium, tools, extended=e) for e in (True, False)] for _ in range(ROUNDS)]
        chromium.close()
    for name in rounds[0][0]:
        values = [[r[which][name] for r in rounds if name in r[which]] for which in (0, 1)]
        ours, plain = (statistics.median(v) if v else None for v in values)
        beside = f", as it comes {plain:.1f}, ratio {ours / plain:.2f}" if plain else ""
        print(f"{name}: {ours:.1f}{beside}")
    print(f"medians of {ROUNDS}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
