"""Two compared pictures with what speaks for and against "same person"."""

from __future__ import annotations

from ..methods.verification import Compared
from .saliency import draw_face
from .style import Picture, theme


def pair_figure(found: Compared, *, dark: bool = False) -> Picture:
    """Chips above; below them, similarity in green and dissimilarity in magenta."""
    with theme("dark" if dark else "light"):
        figure = Picture(figsize=(8, 5), layout="constrained")
        grid = figure.subplots(2, 3)
        for row, name in enumerate(("reference", "probe")):
            draw_face(grid[row][0], found.chips[row], None, "")
            grid[row][0].set_ylabel(name)
            if found.maps is not None:
                draw_face(grid[row][1], found.chips[row], found.maps.similarity[0, row], "Greens")
                draw_face(grid[row][2], found.chips[row], found.maps.dissimilarity[0, row], "RdPu")
        for column, title in enumerate(("aligned", "speaks for", "speaks against")):
            grid[0][column].set_title(title)
        answer = "accepted" if found.accepted else "rejected"
        figure.suptitle(f"score {found.score:.3f}, threshold {found.threshold:.3f}: {answer}")
    return figure
