"""1,000 questions at concurrency 64 against the responder in a process of its own: ours against bare clients, in turns.

Ours checks consent and budget, keys, parses and stores every answer; the bare clients (openai's, and httpx2 without
it) only send and receive.
``python benchmarks/probing.py``
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import numpy as np
import openai

from workbench import probing

COUNT, AT_ONCE, TURNS, MODEL = 1000, 64, 5, "workbench-responder"


def main() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (COUNT, 64, 64, 3), dtype=np.uint8)
    questions = [probing.Question(probing.prompt("age"), [probing.shown(p)], str(i)) for i, p in enumerate(pictures)]
    taken: dict[str, list[float]] = {"ours": [], "openai, bare": [], "httpx2, bare": []}
    command = [sys.executable, "-m", "workbench", "responder", "--blank", "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        url = server.stdout.readline().split()[-1]
        for turn in range(TURNS + 1):
            path = Path(folder) / f"{turn}.sqlite"
            taken["openai, bare"].append(asyncio.run(_openai(url, questions)))
            taken["ours"].append(asyncio.run(_ours(url, questions, path)))
            taken["httpx2, bare"].append(asyncio.run(_httpx(url, questions)))
        server.terminate()
    ours = statistics.median(taken["ours"][1:])
    for name, seconds in taken.items():
        middle = statistics.median(seconds[1:])
        print(f"{name}: {middle:.2f} s (best {min(seconds):.2f}); ours takes {ours / middle:.2f} times")


async def _ours(url: str, questions: list[probing.Question], path: Path) -> float:
    start = time.perf_counter()
    async with probing.Client(probing.Endpoint(url, MODEL)) as client:
        with probing.Store(path) as store:
            asked = await probing.ask_all(questions, client, store, dataset="noise", at_once=AT_ONCE)
    answers = [probing.read(q, r) for q, r in zip(questions, asked.records, strict=True)]
    taken = time.perf_counter() - start
    if any(a.outcome != "value" for a in answers):
        raise SystemExit("an answer is missing")
    return taken


async def _httpx(url: str, questions: list[probing.Question]) -> float:
    async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits(max_connections=AT_ONCE)) as client:

        async def one(body: dict[str, object]) -> object:
            reply = await client.post(f"{url}/chat/completions", json=body)
            return reply.json()["choices"][0]["message"]["content"]

        return await _timed(one, questions)


async def _openai(url: str, questions: list[probing.Question]) -> float:
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def one(body: dict[str, object]) -> object:
            reply = await client.chat.completions.create(**body)
            return reply.choices[0].message.content

        return await _timed(one, questions)


async def _timed(one: Callable[[dict[str, object]], Awaitable[object]], questions: list[probing.Question]) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def in_turn(question: probing.Question) -> None:
        body = {"model": MODEL, "max_tokens": 300, "temperature": 0.0,
                "messages": question.prompt.messages([p.url for p in question.pictures])}  # fmt: skip
        async with slots:
            if not await one(body):
                raise SystemExit("an answer is missing")

    start = time.perf_counter()
    await asyncio.gather(*(in_turn(q) for q in questions))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
