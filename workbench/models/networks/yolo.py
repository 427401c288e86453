"""The tiny face detector of face-api: a separable Tiny YOLO v2 with one class (arXiv 1612.08242)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, Separable, Tensors

ANCHORS = (
    (1.603231, 2.094468),
    (6.041143, 7.080126),
    (2.882459, 3.518061),
    (4.266906, 5.178857),
    (9.041765, 10.66308),
)


class TinyYolo(nn.Module):
    """``(n, 3, 416, 416)`` to ``(n, 845, 5)``: box ``x1 y1 x2 y2`` as fractions of the input, face score."""

    anchors: Tensor

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.entry = Conv(tensors["conv0/filters"], tensors["conv0/bias"], padding="valid")
        self.body = nn.ModuleList(Separable(tensors, f"conv{i}", padding=1) for i in range(1, 6))
        self.head = Conv(tensors["conv8/filters"], tensors["conv8/bias"], padding="valid")
        self.register_buffer("anchors", torch.tensor(ANCHORS))

    def forward(self, x: Tensor) -> Tensor:
        """Prepared pictures to boxes and scores of every anchor."""
        out = self.entry(x, then="leaky")
        for conv in self.body:
            out = conv(F.max_pool2d(out, 2, 2, ceil_mode=True), then="leaky")
        # TensorFlow pads the last, unstrided pooling at the lower right.
        out = F.max_pool2d(F.pad(out, (0, 1, 0, 1), value=-torch.inf), 2, 1)
        found = self.head(out).float()
        cells = found.shape[-1]
        found = found.unflatten(1, (5, 5)).permute(0, 3, 4, 1, 2)
        steps = torch.arange(cells, device=x.device, dtype=found.dtype)
        corner = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)[:, :, None]
        centre = (torch.sigmoid(found[..., :2]) + corner) / cells
        half = torch.exp(found[..., 2:4]) * self.anchors / cells / 2
        return torch.cat([centre - half, centre + half, torch.sigmoid(found[..., 4:5])], dim=-1).flatten(1, 3)
