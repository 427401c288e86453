"""All studies and their verdicts as one page that opens without a network."""

from __future__ import annotations

import html
import time

from ..core import Result, Verdict
from ..runs import State
from ..studies import listing
from .beside import NOT_OURS, beside, measured_on, rests_on
from .page import STYLE

MARKS = {
    "supported": "✓ supported",
    "refuted": "✗ refuted",
    "undecided": "? undecided",
    "not testable here": "– not testable",
}
_STYLE = """
.said { display: inline-block; border: 1px solid var(--line); border-radius: 1em; padding: 0 .6em; margin: .1em;
  white-space: nowrap; } td:empty { background: repeating-linear-gradient(45deg, transparent 0 4px, #8882 4px 5px); }
"""


def board_page(states: list[State]) -> str:
    """What every study stands at; below, of each that was run, verdicts and the paper's numbers beside ours."""
    head = _head("Study", "Paper", "Pillar", "Version", "Status", "Verdicts", "When")
    rows = "".join(_row(s) for s in states)
    run = "".join(_section(s.slug, s.result) for s in states if s.result)
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Face Workbench: board</title>"
        f"<style>{STYLE}{_STYLE}</style></head><body><h1>Face Workbench</h1><table><caption>Studies and verdicts"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{run}</body></html>"
    )


def _row(state: State) -> str:
    listed = listing(state.slug)
    verdicts = state.result.verdicts if state.result else ()
    said = " ".join(f"<span class='said'>{html.escape(f'{v.claim} {MARKS[v.answer]}')}</span>" for v in verdicts)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.at)) if state.at else ""
    slug = html.escape(state.slug)
    name = f"<a href='#{slug}'>{slug}</a>" if state.result else slug
    cells = _cells(listed.title, listed.pillar, listed.version, state.status)
    return f"<tr><th scope='row'>{name}</th>{cells}<td>{said}</td><td>{when}</td></tr>"


def _section(slug: str, result: Result) -> str:
    scale = result.parameters.get("scale", "")
    place = f"{measured_on(result)}, scale {scale}, seed {result.parameters.get('seed', '')}"
    return (
        f"<section id='{html.escape(slug)}'><h2>{html.escape(slug)}</h2><p>{html.escape(listing(slug).title)}</p>"
        f"{_verdicts(result, place)}{_beside(result, place)}</section>"
    )


def _verdicts(result: Result, place: str) -> str:
    head = _head("Claim", "Statement", "Verdict", "Effect [interval]", "n", "Why")
    rows = "".join(_verdict(v) for v in result.verdicts)
    caption = f"<caption>Verdicts here: {html.escape(place)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _verdict(verdict: Verdict) -> str:
    """A row for the claim, and one for each comparison where there are several."""
    parts = verdict.parts if len(verdict.parts) > 1 else ()
    measured = ("", "", "") if parts else _measured(verdict)
    rows = [(verdict.claim, verdict.statement, MARKS[verdict.answer], *measured)]
    rows += [("", p.statement, MARKS[p.answer], *_measured(p)) for p in parts]
    return "".join(f"<tr><th scope='row'>{html.escape(claim)}</th>{_cells(*rest)}</tr>" for claim, *rest in rows)


def _measured(verdict: Verdict) -> tuple[str, str, str]:
    if verdict.effect is None:
        return "", "", verdict.reason
    return str(verdict.effect), rests_on(verdict.effect), verdict.reason


def _beside(result: Result, place: str) -> str:
    heads = (
        "<tr><th rowspan='2' scope='col'>Number</th><th colspan='3' scope='colgroup'>the paper</th>"
        "<th colspan='3' scope='colgroup'>this run</th></tr><tr>"
        + _head("says", "on", "where", "measured", "on", "n")
        + "</tr>"
    )
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(b.metric)}</th>{_cells(b.said, b.dataset, b.place)}"
        + (f"<td colspan='3'>{NOT_OURS}</td>" if b.ours is None else
           _cells(f"{b.ours} ({b.key})", place, b.ours_n))
        + "</tr>"
        for b in beside(result)
    )  # fmt: skip
    return f"<table><caption>The paper's numbers and ours</caption><thead>{heads}</thead><tbody>{rows}</tbody></table>"


def _head(*names: str) -> str:
    return "".join(f"<th scope='col'>{name}</th>" for name in names)


def _cells(*texts: object) -> str:
    return "".join(f"<td>{html.escape(str(text))}</td>" for text in texts)
