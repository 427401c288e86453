"""One look for all figures, in light and in dark."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart with any colour vision.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#7f7f7f", "#b8a800")


@contextmanager
def theme(name: str = "light") -> Iterator[None]:
    """Draw within the ``"light"`` or the ``"dark"`` theme."""
    ink, paper = ("#1a1a1a", "#ffffff") if name == "light" else ("#e8e8e8", "#1c1c1c")
    settings: Any = {
        "figure.facecolor": paper, "axes.facecolor": paper, "savefig.facecolor": paper, "text.color": ink,
        "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink, "ytick.color": ink,
        "axes.prop_cycle": cycler(color=COLOURS), "axes.spines.top": False, "axes.spines.right": False,
        "font.size": 11, "axes.titlesize": 12, "legend.frameon": False, "figure.dpi": 110,
    }  # fmt: skip
    with mpl.rc_context(settings):
        yield


class Picture(Figure):
    """A figure that a notebook shows by itself, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        return self.png()

    def png(self) -> bytes:
        """The figure as PNG."""
        out = io.BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()

    def svg(self) -> bytes:
        """The figure as SVG, texts as outlines; the same figure gives the same bytes."""
        out = io.BytesIO()
        with mpl.rc_context({"svg.hashsalt": "workbench"}):
            self.savefig(out, format="svg", metadata={"Date": None})
        return out.getvalue()
