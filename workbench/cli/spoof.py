"""``workbench spoof``: bona fide or attack, for every face of some pictures."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from .show import print_json

FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("image", nargs="+")
    parser.add_argument(
        "--model", default="auto", help="minifasnet:FOLDER, minifasnet-v2:FILE, minifasnet-v1se:FILE, phantom-attacks; "
        "auto: MiniFASNet from $WORKBENCH_HOME/models, else phantom-attacks",
    )  # fmt: skip
    parser.add_argument("--detector", default="faceapi-ssd", help="of faces")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true")


def run(chosen: argparse.Namespace) -> int:
    """Judge and print; the exit code is 1 when a picture gave no face."""
    from ..methods.attack_detection import judge

    found = judge(chosen.image, model=chosen.model, detector=chosen.detector, device=chosen.device)
    code = FAILED if any(not p.faces for p in found.pictures) else 0
    if chosen.json:
        print_json(asdict(found))
        return code
    for picture in found.pictures:
        if not picture.faces:
            print(f"{picture.name}: failure to acquire: {picture.reason}")
        for face in picture.faces:
            x1, y1, x2, y2 = face.box
            print(f"{picture.name}: {'attack' if face.attack else 'bona fide'}: score {face.score:.4f}, "
                  f"face {x2 - x1:.0f} x {y2 - y1:.0f} at ({x1:.0f}, {y1:.0f})")  # fmt: skip
    print(f"{found.model}: attack when the score is above {found.threshold:g}; {found.provider}")
    if found.note:
        print(found.note)
    return code
