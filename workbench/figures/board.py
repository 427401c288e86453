"""All studies and their verdicts as one page that opens without a network."""

from __future__ import annotations

import html
import time

from ..runs import State
from ..studies import listing
from .page import STYLE

MARKS = {
    "supported": "✓ supported",
    "refuted": "✗ refuted",
    "undecided": "? undecided",
    "not testable here": "– not testable",
}


def board_page(states: list[State]) -> str:
    """A table of studies: status, and the verdict on each claim in a symbol and in words."""
    head = "".join(
        f"<th scope='col'>{h}</th>" for h in ("Study", "Paper", "Pillar", "Version", "Status", "Verdicts", "When")
    )
    rows = "".join(_row(s) for s in states)
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Face Workbench: board</title>"
        f"<style>{STYLE}</style></head><body><h1>Face Workbench</h1><table><caption>Studies and verdicts</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>"
    )


def _row(state: State) -> str:
    listed = listing(state.slug)
    verdicts = state.result.verdicts if state.result else ()
    said = "<br>".join(html.escape(f"{v.claim} {MARKS[v.answer]}") for v in verdicts)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(state.at)) if state.at else ""
    cells = [listed.title, listed.pillar, listed.version, state.status]
    middle = "".join(f"<td>{html.escape(c)}</td>" for c in cells)
    return f"<tr><th scope='row'>{html.escape(state.slug)}</th>{middle}<td>{said}</td><td>{when}</td></tr>"
