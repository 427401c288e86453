"""The gallery of phantom faces runs from top to bottom."""

from pathlib import Path

import nbformat
import papermill


def test_the_gallery_runs(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "gallery.ipynb"
    papermill.execute_notebook(
        repository / "notebooks" / "gallery" / "phantom.ipynb", out, {"people": 4, "size": 32}, progress_bar=False
    )
    cells = [c for c in nbformat.read(out, 4).cells if c.cell_type == "code"]
    pictures = [o for c in cells for o in c.outputs if "image/png" in o.get("data", {})]
    # A figure for each factor at the least.
    assert len(pictures) > 70
