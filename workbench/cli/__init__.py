"""The command ``workbench``: find, run and compare studies; models, data, and two photos of one's own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__, files, studies
from ..core import ParameterError, RunError, UnknownNameError, WorkbenchError
from . import costs, data, evaluate, probe, queue, spoof
from .show import print_json, report, table

REFUTED, FAILED, USAGE, INTERRUPTED = 3, 1, 2, 130
_EPILOG = """exit codes: 0 done; 1 a run failed or died; 2 wrong usage or parameter; 3 done, and a claim was refuted;
130 interrupted.

examples:
  workbench run saliency --scale demo
  workbench run saliency -p data=lfw:pictures/lfw
  workbench verify one.jpg other.jpg --maps maps.png
  workbench spoof selfie.jpg --model minifasnet:weights
  workbench evaluate lfw:pictures/lfw
  workbench evaluate scores.csv --out report
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    # A polite kill stops like Ctrl-C: runs are ended, and what they finished is kept.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(chosen.command(chosen))
    except KeyboardInterrupt:
        print("\nstopped; finished steps are kept", file=sys.stderr)
        return INTERRUPTED
    except WorkbenchError as error:
        if chosen.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return USAGE if isinstance(error, ParameterError | UnknownNameError) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "workbench", description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        return sub

    add("list", _list, "all studies").add_argument("--json", action="store_true")
    show = add("show", _show, "a study: its claims and its parameters")
    show.add_argument("study")
    run = add("run", _run, "run studies and test their claims")
    run.add_argument("study", nargs="+")
    run.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    run.add_argument("--scale", choices=("smoke", "demo", "paper"))
    run.add_argument("--jobs", type=int, default=1, help="studies at a time")
    run.add_argument("--budget", type=float, default=86400, help="seconds for each study")
    run.add_argument("--json", action="store_true")
    run.add_argument("--memory", type=float, metavar="GIB", help="most memory for each study (not on a GPU)")
    history = add("runs", _runs, "what was run, when, and what came of it; the latest first")
    history.add_argument("--study", help="of this study only")
    history.add_argument("--limit", type=int, default=20, help="how many; 0: all")
    history.add_argument("--json", action="store_true")
    costs.add_arguments(add("costs", costs.run, "time and memory of the latest runs, and their slowest steps"))
    queue.add_arguments(add("queue", queue.run, "runs that wait for a free place: add, list, cancel, work"))
    board = add("board", _board, "all studies and their verdicts")
    board.add_argument("--html", type=Path, help="write one page that opens without a network")
    board.add_argument("--json", action="store_true")
    model = add("models", _models, "list, show, check or bench models; train those of phantom faces again")
    model.add_argument("action", choices=("list", "show", "check", "bench", "train"), nargs="?", default="list")
    model.add_argument("model", nargs="?", default="")
    model.add_argument("--out", type=Path, metavar="FILE", help="where train puts the weights (safetensors)")
    model.add_argument("--seed", type=int, default=0, help="of the training")
    model.add_argument("--device", default="cpu", help="train there: cpu or cuda")
    model.add_argument("--json", action="store_true")
    data.add_arguments(add("data", data.run, "list data sets, describe one, measure the gates of phantom faces"))
    verify = add("verify", _verify, "do two pictures show the same person?")
    verify.add_argument("reference")
    verify.add_argument("probe")
    verify.add_argument("--model", default="faceapi-recogniser")
    verify.add_argument("--fmr", type=float, default=1e-2)
    verify.add_argument("--device", default="auto")
    verify.add_argument("--maps", type=Path, metavar="PNG", help="write what speaks for and against")
    verify.add_argument("--json", action="store_true")
    spoof.add_arguments(add("spoof", spoof.run, "bona fide or attack: every face of some pictures"))
    evaluate.add_arguments(
        add("evaluate", evaluate.run, "error rates of a score file, of embeddings or of a data set and a model")
    )
    probe.add_arguments(add("probe", probe.run, "ask a vision-language model about pictures"))
    probe.add_responder_arguments(
        add("responder", probe.respond, "serve the OpenAI protocol on this machine from the workbench's own networks")
    )
    probe.add_model_arguments(
        add("serve-model", probe.serve_model, "serve the OpenAI protocol on this machine from a model in a folder")
    )
    notebooks = add("notebooks", _notebooks, "write copies of the notebooks to work in")
    notebooks.add_argument("folder", type=Path)
    add("doctor", _doctor, "what this machine has and lacks")
    return parser


def _list(chosen: argparse.Namespace) -> int:
    listed = [studies.listing(n) for n in studies.names()]
    if chosen.json:
        print_json([{"slug": s.slug, "title": s.title, "pillar": s.pillar, "version": s.version} for s in listed])
        return 0
    for s in listed:
        print(f"{s.slug:<24} {s.pillar:<12} {s.version:<5} {s.title}")
    return 0


def _show(chosen: argparse.Namespace) -> int:
    from ..runs.parameters import describe, schema

    listed = studies.listing(chosen.study)
    study = studies.load(chosen.study).STUDY
    print(f"{listed.title}\nversion {study.version}, pillar {study.pillar}\n\nclaims")
    for claim in study.claims:
        print(f"  {claim.id} {claim.statement}" + (" (our own check)" if claim.ours else ""))
        for part in claim.parts:
            print(f"     {part}")
    print("\nparameters")
    for p in schema(listed.notebook).values():
        print(f"  {p.name} = {p.default!r}  {p.help} ({describe(p)})")
    return 0


def _run(chosen: argparse.Namespace) -> int:
    from ..runs import Done, run_many
    from ..runs.parameters import from_text, pair, schema

    typed = dict(pair(p) for p in chosen.parameter) | ({"scale": chosen.scale} if chosen.scale else {})
    for slug in chosen.study:
        given = from_text(typed, schema(studies.listing(slug).notebook))
    start = time.monotonic()

    def progress(slug: str, event: Mapping[str, Any]) -> None:
        if event["event"] in ("step-start", "step-kept"):
            kept = " (kept)" if event["event"] == "step-kept" else ""
            print(f"[{time.monotonic() - start:6.1f} s] {slug}: {event['step']}{kept}", file=sys.stderr, flush=True)

    done = run_many(
        chosen.study, given, jobs=chosen.jobs, budget=chosen.budget, progress=progress, after=report,
        memory=int(chosen.memory * 2**30) if chosen.memory else None,
    )  # fmt: skip
    code = 0
    for slug, outcome in done.items():
        if not isinstance(outcome, Done):
            print(f"error: {outcome}", file=sys.stderr)
            code = FAILED if isinstance(outcome, RunError) else max(code, USAGE)
            continue
        if code == 0 and any(v.answer == "refuted" for v in outcome.result.verdicts):
            code = REFUTED
        if chosen.json:
            print_json(outcome.result)
            continue
        rows = [(v.claim, v.answer, v.statement, v.reason) for v in outcome.result.verdicts]
        table(f"{slug} {outcome.result.version}", ("claim", "verdict", "statement", "why"), rows)
        print("from an earlier run of the same identity" if not outcome.fresh else "committed")
        print(f"report: {outcome.folder / 'report.html'}")
    return code


def _runs(chosen: argparse.Namespace) -> int:
    from collections import Counter
    from datetime import datetime

    from ..runs import history

    found = history(chosen.study)
    if chosen.limit < 0:
        raise ParameterError("a limit is counted", given=chosen.limit, expected="0 or more")
    found = found[: chosen.limit or None]
    if chosen.json:
        print_json([{"study": r.slug, "run": r.id, "status": r.status, "scale": r.scale, "started": r.started,
                      "ended": r.ended, "folder": str(r.folder), "result": r.result} for r in found])  # fmt: skip
        return 0
    rows = []
    for r in found:
        result = r.result
        answers = Counter(v.answer for v in result.verdicts) if result else {}
        verdicts = ", ".join(f"{n} {answer}" for answer, n in sorted(answers.items()))
        when = datetime.fromtimestamp(r.started).strftime("%Y-%m-%d %H:%M")
        rows.append((r.slug, r.id, when, f"{r.ended - r.started:.0f} s", r.scale, r.status, verdicts))
    table(f"runs in {_home()}", ("study", "run", "started", "took", "scale", "status", "verdicts"), rows)
    return 0


def _home() -> Path:
    from ..runs.home import home

    return home()


def _board(chosen: argparse.Namespace) -> int:
    from ..runs import board

    states = board()
    if chosen.html:
        from ..figures.board import board_page

        print(files.commit_text(chosen.html, board_page(states)))
        return 0
    if chosen.json:
        print_json([{"slug": s.slug, "status": s.status, "result": s.result} for s in states])
        return 0
    rows = [
        (s.slug, s.status, str(s.result.parameters.get("scale", "")) if s.result else "",
         ", ".join(f"{v.claim} {v.answer}" for v in s.result.verdicts) if s.result else "")
        for s in states
    ]  # fmt: skip
    table("Face Workbench", ("study", "status", "scale", "verdicts"), rows)
    return 0


def _models(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from .. import models

    if chosen.action == "list":
        return _list_models(chosen.json)
    if not chosen.model:
        raise ParameterError("name a model", expected="workbench models show faceapi-recogniser")
    if chosen.action == "show":
        card = asdict(models.card(chosen.model))
        card["operating_points"] = {f"{k:g}": list(v) for k, v in card["operating_points"].items()}
        print_json(card)
        return 0
    if chosen.action == "train":
        return _train(chosen)
    from ..models.catalog import bench, check

    if chosen.action == "check":
        from ..testing.contracts import check_model

        check_model(chosen.model)
        report = check(chosen.model) | {"self-test": "finite outputs, the same alone and in a batch; card complete"}
    else:
        report = bench(chosen.model)
    if chosen.json:
        print_json(report)
    else:
        for name, value in report.items():
            print(f"{name}: {value}")
    return 0


def _train(chosen: argparse.Namespace) -> int:
    """Train a network on phantom faces; progress goes to stderr."""
    if chosen.out is None:
        raise ParameterError(
            "name a file for the weights", expected=f"workbench models train {chosen.model} --out FILE"
        )
    from ..methods.phantom_training import train

    start = time.monotonic()
    tensors = train(
        chosen.model, seed=chosen.seed, device=chosen.device,
        report=lambda what: print(f"{time.monotonic() - start:6.0f} s  {what}", file=sys.stderr, flush=True),
    )  # fmt: skip
    path = files.write_tensors(chosen.out, tensors)
    print(f"{path}  sha256 {files.sha256_file(path)}")
    return 0


def _list_models(as_json: bool) -> int:
    """All cards; a plug-in that does not load is listed with its error."""
    from .. import models
    from ..core import PluginError

    found, rows = [], []
    for name in models.names():
        try:
            card = models.card(name)
        except PluginError as error:
            found.append({"name": name, "error": str(error)})
            rows.append((name, "does not load", "", "", str(error)))
            continue
        found.append({"name": name, "task": card.task, "licence": card.licence})
        rows.append((name, card.task, "{} x {}".format(*card.input_size), card.licence, card.source))
    if as_json:
        print_json(found)
    else:
        table("models", ("name", "task", "input", "licence", "source"), rows)
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    from ..methods.verification import verify

    found = verify(
        chosen.reference, chosen.probe, model=chosen.model, fmr=chosen.fmr, device=chosen.device,
        maps=chosen.maps is not None,
    )  # fmt: skip
    if chosen.maps is not None and found.maps is not None:
        from ..figures.pair import pair_figure

        files.commit_bytes(chosen.maps, pair_figure(found).png())
    if chosen.json:
        print_json({"score": found.score, "threshold": found.threshold, "accepted": found.accepted,
                     "origin": found.origin, "reasons": found.reasons, "provider": found.provider})  # fmt: skip
    elif found.score is None:
        print("failure to acquire: " + "; ".join(r or "face found" for r in found.reasons))
    else:
        print(f"{'same person' if found.accepted else 'different people'}: score {found.score:.4f}, "
              f"threshold {found.threshold:.4f} ({found.origin})")  # fmt: skip
        print(found.provider)
    return 0 if found.score is not None else FAILED


def _notebooks(chosen: argparse.Namespace) -> int:
    root = studies.notebooks_root()
    for source in sorted(root.rglob("*.ipynb")):
        target = chosen.folder / source.relative_to(root)
        content = files.read_bytes(source)
        if target.is_file() and files.read_bytes(target) != content:
            print(f"kept, you changed it: {target}")
            continue
        print(files.commit_bytes(target, content))
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from ..doctor import checks

    worst = 0
    for level, what, advice in checks():
        print(f"{level:<5} {what}" + (f"\n      do: {advice}" if advice else ""))
        worst = max(worst, FAILED if level == "fail" else 0)
    return worst
