"""Jobs over HTTP: queue, progress, log, cancel, events."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.runs import alive
from workbench.runs.queue import Queue
from workbench.server.shapes import at_home

STUB = Path(__file__).parents[1] / "runs" / "stub_job.py"


@pytest.fixture
def stubbed(extension: Any) -> Any:
    """The extension with stubs for runs: they start, rest 0.3 s and end."""
    extension.desk.worker._command = lambda job, token: [sys.executable, str(STUB), str(job.id), token, "0.3"]
    return extension


async def test_a_job_is_queued_run_and_done(ask: Any, make: SimpleNamespace, stubbed: Any) -> None:
    made = await ask("/jobs", "POST", {"study": "saliency", "parameters": {"seed": 5}})
    job = make.read(made)
    assert made.code == 202
    assert (job["id"], job["state"], job["position"], job["origin"]) == (1, "queued", 1, "server")
    assert job["parameters"] == {"scale": "demo", "seed": 5}
    # The command line sees it.
    assert Queue().get(1).study == "saliency"
    cursor, seen = 0, []
    for _ in range(200):
        await stubbed.tick()
        changed = make.read(await ask(f"/jobs?since={cursor}"))
        cursor = changed["cursor"]
        seen += [j["state"] for j in changed["jobs"]]
        if seen[-1:] == ["done"]:
            break
        await asyncio.sleep(0.05)
    assert [s for i, s in enumerate(seen) if s not in seen[:i]] == ["queued", "running", "done"]
    assert seen[-1:] == ["done"], stubbed.desk.queue.log(1).read_text()
    done = make.read(await ask("/jobs/1"))
    assert done["seconds"] >= 0.3
    assert make.read(await ask("/jobs"))["counts"]["done"] == 1
    assert make.read(await ask("/jobs?state=queued"))["jobs"] == []
    assert [j["id"] for j in make.read(await ask("/jobs?study=saliency"))["jobs"]] == [1]


async def test_every_open_tab_is_told_by_an_event(ask: Any, stubbed: Any, jp_ws_fetch: Any) -> None:
    socket = await jp_ws_fetch("api", "events", "subscribe")
    await ask("/jobs", "POST", {"study": "saliency", "parameters": {"data": "lfw:private folder"}})
    await stubbed.tick()
    event = json.loads(await asyncio.wait_for(socket.read_message(), 20))
    assert event["schema_id"] == "urn:face-workbench:job:v1"
    assert (event["id"], event["slug"], event["state"]) == (1, "saliency", "queued")
    assert "private" not in json.dumps(event)
    socket.close()


async def test_what_runs_is_told_with_its_progress(ask: Any, make: SimpleNamespace, extension: Any) -> None:
    make.run()
    await ask("/jobs", "POST", {"study": "saliency", "parameters": {"scale": "smoke"}})
    queue, me = extension.desk.queue, os.getpid()
    job, token = queue.claim({"cpu": 1})
    queue.start(job.id, token, me)
    queue.tell(job.id, me, {"fraction": 0.25, "cell": 2, "cells": 8, "step": "faces", "steps_done": 0, "line": "faces"})
    queue.log(1).parent.mkdir(exist_ok=True)
    queue.log(1).write_bytes("ä".encode() * 1000)
    found = make.read(await ask("/jobs/1"))
    assert (found["progress"]["fraction"], found["progress"]["step"]) == (0.25, "faces")
    # From the one fresh run of this scale on this machine.
    assert found["expected_seconds"] is not None
    assert make.read(await ask("/studies/saliency"))["state"]["fraction"] == 0.25
    # The log is bounded, whatever is asked for, and cut characters do not break it.
    log = make.read(await ask("/jobs/1/log?limit=99999999"))
    assert (log["size"], log["start"], log["end"]) == (2000, 976, 2000)
    log = make.read(await ask("/jobs/1/log?start=1&limit=3"))
    assert (log["text"], log["start"], log["end"]) == ("\ufffdä", 1, 4)
    assert make.read(await ask("/jobs/1/log?start=5000"))["text"] == ""
    status = make.read(await ask("/status"))
    assert [(j["id"], j["slug"]) for j in status["jobs"]] == [(1, "saliency")]
    assert status["jobs"][0]["memory"] > 1 << 20
    assert extension.current_activity() is False
    await extension.tick()
    # A server with a job must not be culled.
    assert extension.current_activity() is True
    queue.finish(
        1, me, alive.birth(me), "lost", reason=f"gone from {Path.home()}/x and {os.environ['WORKBENCH_HOME']}/y"
    )
    reason = make.read(await ask("/jobs/1"))["reason"]
    assert str(Path.home()) not in reason.replace("~", "")
    assert os.environ["WORKBENCH_HOME"] not in reason


async def test_cancel_and_restart(ask: Any, make: SimpleNamespace, extension: Any) -> None:
    for seed in (1, 2):
        await ask("/jobs", "POST", {"study": "saliency", "parameters": {"seed": seed}})
    assert make.read(await ask("/jobs/2"))["position"] == 2
    assert (await ask("/jobs/1/restart", "POST")).code == 409
    gone = await ask("/jobs/1", "DELETE")
    assert (gone.code, make.read(gone)["state"]) == (202, "cancelled")
    assert (await ask("/jobs/1", "DELETE")).code == 202
    assert make.read(await ask("/jobs/2"))["position"] == 1
    again = make.read(await ask("/jobs/1/restart", "POST"))
    assert (again["id"], again["restarted_from"], again["parameters"]["seed"]) == (3, 1, 1)
    assert (await ask("/jobs/9/restart", "POST")).code == 404


async def test_the_queue_is_bounded(ask: Any, make: SimpleNamespace, extension: Any) -> None:
    extension.desk.queue_limit = 2
    codes = [(await ask("/jobs", "POST", {"study": "saliency", "parameters": {"seed": s}})).code for s in range(4)]
    assert codes == [202, 202, 429, 429]
    assert (await ask("/jobs/1", "DELETE")).code == 202
    assert (await ask("/jobs/1/restart", "POST")).code == 202
    assert (await ask("/jobs/1/restart", "POST")).code == 429


async def test_a_relative_folder_is_taken_from_the_servers_root(
    ask: Any, make: SimpleNamespace, jp_root_dir: Path
) -> None:
    job = make.read(await ask("/jobs", "POST", {"study": "saliency", "parameters": {"data": "lfw:pictures"}}))
    assert job["parameters"]["data"] == f"lfw:{jp_root_dir.resolve()}/pictures"


async def test_a_server_that_starts_nothing_still_marks_what_died(
    ask: Any, make: SimpleNamespace, extension: Any
) -> None:
    await ask("/jobs", "POST", {"study": "saliency"})
    extension.desk.works = False
    job, token = extension.desk.queue.claim({"cpu": 1})
    extension.desk.queue.start(job.id, token, 2**22 - 1)
    await ask("/jobs", "POST", {"study": "saliency", "parameters": {"seed": 2}})
    await extension.tick()
    assert [j["state"] for j in make.read(await ask("/jobs"))["jobs"]] == ["queued", "lost"]


async def test_a_study_whose_job_failed_before_its_run_began_says_so(
    ask: Any, make: SimpleNamespace, extension: Any
) -> None:
    async def state() -> Any:
        (found,) = (s for s in make.read(await ask("/studies"))["studies"] if s["name"] == "saliency")
        assert make.read(await ask("/studies/saliency"))["state"] == found["state"]
        return found["state"]

    queue, me = extension.desk.queue, os.getpid()

    async def fails() -> None:
        await ask("/jobs", "POST", {"study": "saliency"})
        job, token = queue.claim({"cpu": 1})
        assert queue.start(job.id, token, me)
        given = str(Path.home() / "lfw")
        queue.finish(job.id, me, alive.birth(me), "failed", reason="no such folder", problem={"given": given})

    await fails()
    assert ((await state())["status"], (await state())["reason"]) == ("failed", "no such folder: ~/lfw")
    assert make.read(await ask("/board"))["statuses"]["failed"] == 1
    # A later run is the latest word, a later failure again.
    make.run()
    assert (await state())["status"] == "done"
    await fails()
    found = await state()
    assert (found["status"], [v["answer"] for v in found["verdicts"]]) == ("failed", ["supported", "not testable here"])


async def test_where_runs_are_kept_is_said(ask: Any, make: SimpleNamespace, home: Path) -> None:
    assert make.read(await ask("/jobs"))["store"] == str(home)
    assert at_home(Path.home() / "a" / "b") == "~/a/b"
