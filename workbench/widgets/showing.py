"""What a widget shows where widgets cannot run: a card in plain HTML, and a line of text."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files

VIEW = "application/vnd.jupyter.widget-view+json"


def headless() -> bool:
    """Whether this cell is executed with nobody to answer: by papermill, by nbconvert, by a test of notebooks.

    Such programs forbid questions to the user; JupyterLab, Notebook, VS Code and Colab allow them.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and not getattr(kernel, "_allow_stdin", True)


class Shown:
    """Gives a widget its text and its card.

    A program that executes notebooks gets the card alone: a widget that it stored would be an empty box wherever no
    kernel runs. A person gets the live widget, and the card where a notebook is opened that is not trusted.
    """

    def describe(self) -> str:
        """What there is to see, in a line."""
        return ""

    def static_html(self) -> str:
        """The card: no script, no address, pictures as data."""
        return card(type(self).__name__, {"": self.describe()})

    def settle(self, timeout: float | None = None) -> bool:
        """Wait for the work that goes on; False when ``timeout`` seconds were not enough."""
        return True

    def __repr__(self) -> str:
        said = self.describe()
        return f"{type(self).__name__}: {said}" if said else type(self).__name__

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        plain = {"text/plain": repr(self), "text/html": self.static_html()}
        if headless():
            return plain, {}
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}  # type: ignore[attr-defined]
        return {**plain, VIEW: view}, {}


def card(title: str, rows: Mapping[str, str], pictures: Iterable[str] = (), *, note: str = "") -> str:
    """A card of a title, rows of words, and pictures made by `picture` or `figure`; all words are escaped."""
    listed = "".join(f"<div>{f'<b>{html.escape(k)}</b>: ' if k else ''}{html.escape(v)}</div>" for k, v in rows.items())
    shown = "".join(pictures)
    after = f"<div><small>{html.escape(note)}</small></div>" if note else ""
    return (
        f'<section role="group" aria-label="{html.escape(title, quote=True)}">'
        f"<div><b>{html.escape(title)}</b></div>{listed}<div>{shown}</div>{after}</section>"
    )


def picture(image: NDArray[np.uint8], alt: str, *, most: int = 256) -> str:
    """A picture ``uint8 (h, w, 3)`` as an element, at most ``most`` pixels long."""
    data = base64.b64encode(files.encode_jpeg(shrunk(image, most), quality=88)).decode()
    return _element("image/jpeg", data, alt)


def figure(png: bytes, alt: str) -> str:
    """A drawn figure as an element; ``png`` as `figures.style.Picture.png` gives it."""
    return _element("image/png", base64.b64encode(png).decode(), alt)


def shrunk(image: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """The picture with its longer side at most ``most`` pixels."""
    import cv2

    factor = most / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _element(kind: str, data: str, alt: str) -> str:
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:{kind};base64,{data}" style="max-width:100%">'
