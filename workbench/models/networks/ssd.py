"""The SSD face detector of face-api: MobileNet v1 and six box predictors (arXiv 1512.02325, 1704.04861)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .layers import Conv, Tensors

_EPSILON = 0.001


class Relu6Conv(nn.Module):
    """A convolution whose batch normalisation lies in its kernel and offset, then clipping to 0..6."""

    def __init__(self, tensors: Tensors, name: str, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = Conv(tensors[f"{name}/weights"], tensors[f"{name}/convolution_bn_offset"], stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.conv(x, then="relu6")
        return out


class DepthwiseBlock(nn.Module):
    """Depthwise convolution with batch normalisation folded in, then a pointwise one."""

    def __init__(self, tensors: Tensors, number: int) -> None:
        super().__init__()
        name = f"MobilenetV1/Conv2d_{number}_depthwise"
        norm = {k: tensors[f"{name}/BatchNorm/{k}"] for k in ("gamma", "beta", "moving_mean", "moving_variance")}
        factor = norm["gamma"] / np.sqrt(norm["moving_variance"] + _EPSILON)
        kernel = tensors[f"{name}/depthwise_weights"] * factor[:, None]
        offset = norm["beta"] - norm["moving_mean"] * factor
        self.depthwise = Conv(kernel, offset, stride=2 if number in (2, 4, 6, 12) else 1, depthwise=True)
        self.pointwise = Relu6Conv(tensors, f"MobilenetV1/Conv2d_{number}_pointwise")

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, out, h', w')``."""
        out: Tensor = self.pointwise(self.depthwise(x, then="relu6"))
        return out


class Predictor(nn.Module):
    """Boxes and class scores at one scale."""

    def __init__(self, tensors: Tensors, number: int) -> None:
        super().__init__()
        name = f"Prediction/BoxPredictor_{number}"
        self.boxes, self.classes = (
            Conv(tensors[f"{name}/{kind}/weights"], tensors[f"{name}/{kind}/biases"])
            for kind in ("BoxEncodingPredictor", "ClassPredictor")
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, c, h, w)`` to ``(n, anchors, 7)``: four box codes, three class logits."""
        boxes, classes = (f(x).permute(0, 2, 3, 1).flatten(1) for f in (self.boxes, self.classes))
        return torch.cat([boxes.unflatten(1, (-1, 4)), classes.unflatten(1, (-1, 3))], dim=2)


class Ssd(nn.Module):
    """``(n, 3, 512, 512)`` to ``(n, 5118, 5)``: box ``x1 y1 x2 y2`` as fractions of the input, face score."""

    priors: Tensor

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.entry = Relu6Conv(tensors, "MobilenetV1/Conv2d_0_pointwise", stride=2)
        self.lower = nn.Sequential(*(DepthwiseBlock(tensors, i) for i in range(1, 12)))
        self.upper = nn.Sequential(*(DepthwiseBlock(tensors, i) for i in (12, 13)))
        self.extra = nn.ModuleList(
            nn.Sequential(
                Relu6Conv(tensors, f"Prediction/Conv2d_{i}_pointwise"),
                Relu6Conv(tensors, f"Prediction/Conv2d_{i + 1}_pointwise", stride=2),
            )
            for i in (0, 2, 4, 6)
        )
        self.predictors = nn.ModuleList(Predictor(tensors, i) for i in range(6))
        self.register_buffer("priors", torch.from_numpy(tensors["Output/extra_dim"][0].copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Prepared pictures to boxes and scores of every anchor."""
        lower = self.lower(self.entry(x))
        levels = [lower, self.upper(lower)]
        for extra in self.extra:
            levels.append(extra(levels[-1]))
        found = torch.cat([p(level) for p, level in zip(self.predictors, levels, strict=True)], dim=1).float()
        return torch.cat([self._boxes(found[..., :4]), torch.sigmoid(found[..., 5:6])], dim=2)

    def _boxes(self, codes: Tensor) -> Tensor:
        """Codes are offsets from anchors ``y1 x1 y2 x2``, with the variances 0.1 and 0.2."""
        size = self.priors[:, 2:] - self.priors[:, :2]
        centre = self.priors[:, :2] + size / 2 + codes[..., :2] / 10 * size
        half = torch.exp(codes[..., 2:] / 5) * size / 2
        return torch.cat([(centre - half).flip(-1), (centre + half).flip(-1)], dim=-1)
