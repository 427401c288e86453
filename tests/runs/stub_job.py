"""A job's process that computes nothing: it starts, writes a line to ``ran``, rests and ends, as `runs.job` does."""

import os
import sys
import time
from pathlib import Path

from workbench.runs import alive
from workbench.runs.queue import Queue

number, token, rest = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
queue, me = Queue(), os.getpid()
birth = alive.birth(me)
if queue.start(number, token, me):
    with (Path(queue.path.parent) / "ran").open("a") as ran:
        ran.write(f"{number} {time.time()} {me}\n")
    time.sleep(rest)
    with (Path(queue.path.parent) / "ran").open("a") as ran:
        ran.write(f"-{number} {time.time()} {me}\n")
    assert queue.finish(number, me, birth, "done", fresh=True)
