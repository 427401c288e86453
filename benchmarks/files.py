"""Files to embeddings, landmarks known: ours batched, against one face at a time as in insightface's IJB scripts.

The peer reads a file, estimates one similarity transform with scikit-image, warps with OpenCV and runs ONNX Runtime
on one chip. Ours decodes ahead in threads, estimates and embeds a batch. Both end on the same network's embeddings.
"""

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from skimage.transform import SimilarityTransform

from workbench.data import phantom
from workbench.files import read_images
from workbench.models import align, load
from workbench.models.catalog import torch_network
from workbench.models.detectors import prepare
from workbench.models.engines import export_onnx

BATCH = 64


def write(folder: Path, files: int) -> tuple[list[Path], np.ndarray]:
    """Portraits as JPEG files, and five landmarks of each."""
    faces = phantom.faces(16, 4, size=250, crop="portrait")
    pictures = [faces.images[i] for i in range(len(faces))]
    paths = [folder / f"{i}.jpg" for i in range(files)]
    for i, path in enumerate(paths):
        cv2.imwrite(str(path), pictures[i % len(pictures)][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    return paths, faces.attributes["landmarks5"][np.arange(files) % len(pictures)]


class Peer:
    """One face at a time."""

    def __init__(self, template: np.ndarray) -> None:
        network = export_onnx(torch_network("faceapi-recogniser"), (150, 150))
        self.session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
        self.template = template
        self.card = load("faceapi-recogniser").card

    def embed(self, paths: list[Path], points: np.ndarray) -> np.ndarray:
        """Embeddings ``(n, 128)`` of files with five landmarks each."""
        return np.stack([self.one(path, five) for path, five in zip(paths, points, strict=True)])

    def one(self, path: Path, five: np.ndarray) -> np.ndarray:
        """One file's embedding."""
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        matrix = SimilarityTransform.from_estimate(five, self.template).params[:2]
        chip = cv2.warpAffine(image, matrix, (150, 150))
        raw = self.session.run(None, {"images": prepare(chip[None], self.card)})[0][0]
        return raw / np.linalg.norm(raw)


def ours(model, paths: list[Path], points: np.ndarray) -> np.ndarray:
    """Decoding ahead in threads; aligned and embedded by batches."""
    pictures = read_images(paths, ahead=2 * BATCH)
    out = []
    for start in range(0, len(paths), BATCH):
        five = points[start : start + BATCH]
        part = [next(pictures) for _ in five]
        out.append(model.embed(align(part, five, model.card.template, model.card.input_size)))
    return np.concatenate(out)


def main(files: int = 1024, rounds: int = 5) -> None:
    model = load("faceapi-recogniser")
    peer = Peer(np.array(model.card.template))
    with tempfile.TemporaryDirectory() as folder:
        paths, points = write(Path(folder), files)
        ways = {"ours": lambda: ours(model, paths, points), "one at a time": lambda: peer.embed(paths, points)}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                time.sleep(0.3)
                start = time.perf_counter()
                vectors = way()
                seconds[name].append(time.perf_counter() - start)
                print(f"{name}: {files / seconds[name][-1]:.0f} files/s", flush=True)
                if name == "ours":
                    mine = vectors
            assert (mine * vectors).sum(1).min() > 0.999
        start = time.perf_counter()
        assert sum(1 for _ in read_images(paths)) == files
        print(f"decoding alone: {files / (time.perf_counter() - start):.0f} files/s")
    best = {
        name: f"{files / min(t):.0f} files/s best, {files / np.median(t):.0f} median" for name, t in seconds.items()
    }
    print(f"{best}; ratio of medians {np.median(seconds['one at a time']) / np.median(seconds['ours']):.2f}")


if __name__ == "__main__":
    main()
