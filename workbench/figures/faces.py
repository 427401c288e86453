"""Faces in a picture, numbered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .style import Picture, theme


def numbered(image: NDArray[np.uint8], boxes: NDArray[np.floating], *, dark: bool = False) -> Picture:
    """A picture with a numbered box around each face.

    Args:
        image: ``uint8 (h, w, 3)`` RGB.
        boxes: ``(k, 4)``, ``x1 y1 x2 y2`` pixels.
        dark: the dark theme.
    """
    height, width = image.shape[:2]
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(3.6, min(6.0, 3.6 * height / width)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(image, interpolation="bilinear")
        for number, (x1, y1, x2, y2) in enumerate(boxes, 1):
            axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color="#ffffff", lw=3)
            axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color="#000000", lw=1.2)
            axes.text(
                max(x1, 0), max(y1, 0), f" {number} ", color="#ffffff", backgroundcolor="#000000", va="top", fontsize=10
            )
        axes.set_xlim(-0.5, width - 0.5)
        axes.set_ylim(height - 0.5, -0.5)
        axes.axis("off")
    return figure
