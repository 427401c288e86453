"""``workbench probe``, ``responder`` and ``serve-model``: ask a model about pictures; be one on this machine."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..core import ConsentError, ParameterError
from . import probe_scores
from .show import print_json, table

if TYPE_CHECKING:
    from ..probing import Asked, Endpoint, Question

# Pictures of one question; the others ask about each picture by itself.
_TOGETHER = {"verification": 2, "similarity": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``probe`` takes."""
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="pictures, or folders of them")
    parser.add_argument("--task", default="age", help="what to ask, `--task list` lists them")
    parser.add_argument("--framing", default="direct", help="what is said before the question")
    parser.add_argument("--url", default="", help="of a server that speaks the OpenAI protocol (WORKBENCH_PROBE_URL)")
    parser.add_argument("--model", default="", help="its name there (WORKBENCH_PROBE_MODEL)")
    parser.add_argument("--key-file", default="", help="file with the key (else OPENAI_API_KEY)")
    parser.add_argument("--store", type=Path, default=Path(".workbench/answers.sqlite"), help="where answers are kept")
    parser.add_argument(
        "--consent",
        action="append",
        default=[],
        metavar="HOST",
        help="may see these pictures; so may what consents.txt in the workbench's folder names",
    )
    parser.add_argument("--dataset", default="own pictures", help="name of the data set, for the record")
    parser.add_argument("--at-once", type=int, default=32, help="calls under way at most")
    parser.add_argument("--calls", type=int, help="budget of calls")
    parser.add_argument("--tokens", type=int, help="budget of tokens")
    parser.add_argument("--money", type=float, help="budget of money; needs --prices")
    parser.add_argument("--prices", default="", metavar="IN,OUT", help="money for a million tokens read and written")
    probe_scores.add_arguments(parser)
    parser.add_argument("--structured", action="store_true", help="ask for JSON that fits a schema")
    parser.add_argument("--yes", action="store_true", help="do not ask before a batch that costs something")
    parser.add_argument("--json", action="store_true")


def add_responder_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``responder`` takes."""
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--blank", action="store_true", help="answer from mean colours, without any network")
    parser.add_argument("--refuse", type=float, default=0.0, metavar="P", help="refuse direct questions so often")
    parser.add_argument("--misbehave", default="", metavar="FAULT=P,...", help="faults, as 429=0.1,500=0.05,cut=0.02")


def respond(chosen: argparse.Namespace) -> int:
    """Serve until stopped."""
    from ..probing.responder import BlankEyes, Eyes, Misbehave, Responder, serve

    eyes: Eyes = BlankEyes()
    if not chosen.blank:
        from ..methods.responder_eyes import ModelEyes

        eyes = ModelEyes(device=chosen.device)
    misbehave = Misbehave.parse(chosen.misbehave)
    responder = Responder(eyes, port=chosen.port, refuse_direct=chosen.refuse, misbehave=misbehave)
    serve(responder, say=lambda said: print(said, flush=True))
    return 0


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``serve-model`` takes."""
    parser.add_argument("folder", type=Path, help="as transformers writes it, with weights in safetensors")
    parser.add_argument("--port", type=int, default=8766, help="0 takes a free one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--most-tokens", type=int, default=1024, help="of an answer")


def serve_model(chosen: argparse.Namespace) -> int:
    """Serve a local model until stopped."""
    from ..methods.local_model import LocalModel
    from ..probing.responder import ChatServer, serve

    model = LocalModel(chosen.folder, device=chosen.device, most_tokens=chosen.most_tokens)
    server = ChatServer(model, name=model.name, port=chosen.port, title=f"{model.name} on {model.device}")
    serve(server, say=lambda said: print(said, flush=True))
    return 0


def run(chosen: argparse.Namespace) -> int:
    """Ask, and show what was answered; 1 if a question has no reply."""
    from .. import probing

    if chosen.task == "list":
        print("\n".join(f"{name:<16} {probing.prompt(name).text}" for name in probing.tasks()))
        return 0
    if chosen.truth and not chosen.images:
        return probe_scores.of_store(chosen)
    there = probing.endpoint(chosen.url, chosen.model or _model_of(chosen.url), key_file=chosen.key_file)
    questions = _questions(chosen)
    settings = probing.Settings(structured=chosen.structured)
    asked = asyncio.run(_ask(chosen, there, questions, settings))
    if chosen.truth:
        probe_scores.show(chosen, questions, asked.records)
        return int(asked.count("errored") > 0)
    rows = []
    for question, found in zip(questions, asked.records, strict=True):
        answer = probing.read(question, found)
        rows.append({"name": question.name, "outcome": "errored" if found.state == "errored" else answer.outcome,
                     "value": answer.value, "text": found.text, "why": answer.why})  # fmt: skip
    if chosen.json:
        print_json({"model": there.model, "host": there.host, "task": chosen.task, "answers": rows,
                    "asked": asked.asked, "failures": asked.failures})  # fmt: skip
    else:
        shown = [(r["name"], r["outcome"], _said(r["value"]), r["text"] or r["why"]) for r in rows]
        table(f"{chosen.task} by {there.model}", ("picture", "outcome", "value", "in its words"), shown)
    return int(asked.count("errored") > 0)


def _model_of(url: str) -> str:
    """The responder's name for a server on this machine that is not named otherwise."""
    from ..probing.endpoint import MODEL, URL, Endpoint

    address, responder = url or os.environ.get(URL, ""), "workbench-responder"
    return os.environ.get(MODEL, "") or (responder if address and Endpoint(address, responder).loopback else "")


def _questions(chosen: argparse.Namespace) -> list[Question]:
    from .. import probing
    from ..methods.probed import BETWEEN

    paths = list(itertools.chain.from_iterable(_pictures(p) for p in chosen.images))
    together = len(paths) if chosen.task == "identification" else _TOGETHER.get(chosen.task, 1)
    if not paths or len(paths) % together or (chosen.task == "identification" and together < 2):
        raise ParameterError(
            f"{chosen.task} takes {together} pictures a question", given=f"{len(paths)} pictures",
            expected=f"a multiple of {together}",
        )  # fmt: skip
    prompt = probing.prompt(chosen.task, framing=chosen.framing)
    if chosen.task == "identification":
        prompt = probing.candidates(len(paths) - 1, framing=chosen.framing)
    shown = [probing.shown(files.read_image(p)) for p in paths]
    return [
        probing.Question(prompt, shown[i : i + together], BETWEEN.join(p.name for p in paths[i : i + together]))
        for i in range(0, len(paths), together)
    ]


def _pictures(path: Path) -> Sequence[Path]:
    from ..data.folder import SUFFIXES

    if not path.is_dir():
        return [path]
    return sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)


async def _ask(chosen: argparse.Namespace, there: Endpoint, questions: list[Question], settings: Any) -> Asked:
    from rich.progress import Progress

    from .. import probing

    prices = _prices(chosen.prices, chosen.money)
    budget = probing.Budget(chosen.calls, chosen.tokens, chosen.money, prices)
    consents = [probing.Consent(host, chosen.dataset) for host in chosen.consent]
    try:
        probing.require(there, chosen.dataset, consents)
    except ConsentError as error:
        raise ConsentError(
            error.what, expected=f"--consent {there.host}",
            do="give it, if the terms of the pictures and the people shown allow it",
        ) from None  # fmt: skip
    with probing.Store(chosen.store) as store:
        _estimate(questions, there, settings, store, prices, chosen.yes)
        async with probing.Client(there) as client:
            with Progress(transient=True, disable=not sys.stderr.isatty()) as bar:
                shown = bar.add_task(chosen.task, total=len(questions))
                return await probing.ask_all(
                    questions, client, store, dataset=chosen.dataset, settings=settings, budget=budget,
                    consents=consents, at_once=chosen.at_once,
                    progress=lambda done, of: bar.update(shown, completed=done, total=of),
                )  # fmt: skip


def _prices(text: str, money: float | None) -> Any:
    from .. import probing

    if not text:
        if money is not None:
            raise ParameterError("a budget of money needs prices", do="--prices IN,OUT for a million tokens")
        return probing.Prices()
    try:
        read, written = (float(part) for part in text.split(","))
    except ValueError:
        raise ParameterError("prices are two numbers", given=text, expected="--prices 2.5,10") from None
    return probing.Prices(read, written)


def _estimate(questions: Any, there: Endpoint, settings: Any, store: Any, prices: Any, yes: bool) -> None:
    """Say what a batch may cost at most; ask a person before it is spent."""
    stored = [store.get(q.key(there.model, settings, there.abroad)) for q in questions]
    new = [q for q, s in zip(questions, stored, strict=True) if s is None or s.state == "errored"]
    tokens = sum(q.tokens(settings) for q in new)
    most = sum(
        (q.tokens(settings) - settings.most_tokens) * prices.input + settings.most_tokens * prices.output for q in new
    )
    money = f", at most {most / 1e6:.4f} in money" if most else ""
    print(f"{len(new)} of {len(questions)} questions for {there.host}, at most {tokens} tokens{money}", file=sys.stderr)
    if most and not yes and sys.stdin.isatty() and input("go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise KeyboardInterrupt


def _said(value: Any) -> str:
    return "" if value is None else ", ".join(f"{k} {v}" for k, v in value.items() if v not in (None, ""))
