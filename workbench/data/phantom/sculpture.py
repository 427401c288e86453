"""The displacement fields of the head, named one by one; millimetres on the template.

Spreads follow what anthropometry reports of adults (one standard deviation: nose length and mouth width 3 to 4 mm,
face width 5 mm; L. Farkas, Anthropometry of the Head and Face, 1994); the forms of the bumps are ours.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from .template import EYE_X, MOUTH, NOSE_BASE, NOSE_TIP

Floats = NDArray[np.float64]
X, Y, Z = range(3)


def ramp(value: Floats, low: float, high: float) -> Floats:
    """0 at ``low`` and before, 1 at ``high`` and beyond, smooth between; ``low`` may exceed ``high``."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


class Sculpture:
    """Displacement fields that are being built, ``fields[name]`` is ``(v, 3)``; ``""`` is what every face has.

    Args:
        place: ``(v, 3)`` template positions.
        theta: ``(v,)`` angle about the vertical axis.
    """

    def __init__(self, place: Floats, theta: Floats) -> None:
        self.place = place
        self.x, self.y = place[:, 0], place[:, 1]
        self.side = np.sign(self.x)
        self.across = np.abs(self.x)
        self.front = ramp(np.cos(theta), 0.0, 0.55)
        self.fields: dict[str, Floats] = defaultdict(lambda: np.zeros_like(place))

    def bump(self, x: float, y: float, wide: float, high: float, *, even: bool = True) -> Floats:
        """A Gaussian in front of the head, ``(v,)``; ``even`` puts one on either side."""
        across = self.across if even else self.x
        return np.asarray(self.front * np.exp(-(((across - x) / wide) ** 2 + ((self.y - y) / high) ** 2) / 2))

    def add(self, name: str, axis: int, millimetres: float, weight: Floats) -> None:
        """Move points along an axis, per unit of the coefficient ``name``."""
        self.fields[name][:, axis] += millimetres * weight


def relief(s: Sculpture) -> None:
    """What every face has: brow, sockets, eyeballs, cheeks, nose, mouth, chin."""
    s.add("", Z, 4.0, s.bump(26, 17, 17, 7))
    s.add("", Z, -10.5, s.bump(30, 2, 14, 9.5))
    s.add("", Z, 5.6, s.bump(EYE_X, 0, 9.5, 5.5))
    s.add("", Z, 1.2, s.bump(EYE_X, 8, 13, 2.6))
    s.add("", Z, -3.5, s.bump(15, 1, 5, 8))
    s.add("", Z, 6.0, s.bump(44, -24, 15, 14))
    s.add("", Z, -3.0, s.bump(47, -62, 14, 18))
    s.add("", X, -3.5, s.side * s.bump(62, -72, 16, 20))
    s.add("", Z, 6.5, s.bump(0, MOUTH + 1.5, 23, 15))
    s.add("", Z, -4.5, s.bump(0, MOUTH - 15, 15, 4.5))
    s.add("", Z, 6.5, s.bump(0, -101, 14, 10))
    s.add("", Z, -1.3, s.bump(0, MOUTH + 14, 2.8, 5.5))
    s.add("", Z, 0.8, s.bump(5.5, MOUTH + 14, 2.4, 6))
    s.add("", Z, -4.0, s.bump(62, 30, 12, 24))
    _nose(s)
    _lips(s)


def _nose(s: Sculpture) -> None:
    below = ramp(s.y, NOSE_BASE - 2.5, NOSE_BASE + 3)
    s.add("", Z, 1.0, _ridge(s) * (3.0 + 16.5 * ramp(s.y, 14, NOSE_TIP - 2)) * ramp(s.y, 20, 2) * below)
    s.add("", Z, 3.4, s.bump(0, NOSE_TIP, 6.5, 5.5) * below)
    s.add("", Z, 9.0, s.bump(11.0, NOSE_TIP - 3, 4.6, 4.4) * below)
    s.add("", Z, -1.6, s.bump(18.0, NOSE_TIP - 3, 2.6, 5))


def _ridge(s: Sculpture) -> Floats:
    wide = 7.6 + 0.10 * np.clip(-s.y, 0, 40)
    return np.asarray(s.front * np.exp(-((s.x / wide) ** 2) / 2))


def _lips(s: Sculpture) -> None:
    upper, lower = _lip(s, MOUTH + 4.3, 3.2), _lip(s, MOUTH - 4.9, 3.9)
    s.add("", Z, 3.4, upper)
    s.add("", Z, 4.4, lower)
    s.add("", Z, -2.0, _lip(s, MOUTH, 1.3))
    s.add("", Z, -1.0, s.bump(28, MOUTH, 4, 6))
    s.add("", Y, 1.8, s.bump(22, MOUTH, 7, 6))
    for name, amount in (("upper_lip", 0.9), ("child", -0.6), ("old", -1.6)):
        s.add(name, Z, amount, upper)
        s.add(name, Y, 1.5 * amount, _lip(s, MOUTH + 8, 4.5))
    for name, amount in (("lower_lip", 1.0), ("old", -1.4)):
        s.add(name, Z, amount, lower)
        s.add(name, Y, -1.7 * amount, _lip(s, MOUTH - 10.5, 5))


def _lip(s: Sculpture, y: float, high: float) -> Floats:
    return np.asarray(s.front * np.exp(-((s.x / 21) ** 4)) * np.exp(-(((s.y - y) / high) ** 2) / 2))


def skull(s: Sculpture) -> None:
    """Head, forehead, cheeks, jaw and chin; and the gender axis, which is made of the same bones."""
    one, low, jaw = np.ones_like(s.y), ramp(s.y, -20, -95), ramp(s.y, -30, -75)
    s.add("face_width", X, 0.048, s.x)
    s.add("face_length", Y, 0.038, s.y)
    s.add("face_flat", Z, -3.0, s.bump(0, -30, 26, 40))
    s.add("face_flat", Z, 3.0, s.bump(50, -25, 18, 40))
    s.add("head_depth", Z, -0.8, one)
    s.add("jaw_width", X, 0.07, s.x * jaw)
    s.add("jaw_square", X, 4.2, s.side * s.bump(56, -84, 18, 15))
    s.add("jaw_square", Y, -2.0, s.bump(46, -90, 16, 14))
    s.add("chin_width", X, 0.14, s.x * ramp(s.y, -86, -106))
    s.add("chin_length", Y, -4.0, ramp(s.y, -80, -110))
    s.add("chin_forward", Z, 3.4, s.bump(0, -104, 20, 12))
    s.add("chin_cleft", Z, -0.9, s.bump(0, -101, 3.5, 7))
    s.add("forehead_height", Y, 3.6, ramp(s.y, 25, 100))
    s.add("forehead_width", X, 3.0, s.side * s.bump(58, 52, 20, 26))
    s.add("forehead_slope", Z, -3.5, s.front * ramp(s.y, 25, 85))
    s.add("cheek_bone", Z, 2.6, s.bump(45, -22, 13, 12))
    s.add("cheek_bone", X, 2.8, s.side * s.bump(58, -18, 14, 14))
    s.add("cheek_full", Z, 3.4, s.bump(44, -58, 17, 18))
    s.add("cheek_full", X, 3.6, s.side * s.bump(56, -58, 18, 22))
    s.add("brow_ridge", Z, 1.9, s.bump(24, 16, 19, 6.5))
    s.add("temple", X, 2.6, s.side * s.bump(66, 32, 14, 22))
    s.add("asymmetry_jaw", X, 1.8, low)
    for mode, amount in (("face_width", 0.4), ("face_length", 0.5), ("jaw_width", 1.5), ("jaw_square", 1.7),
                         ("chin_width", 1.1), ("chin_length", 1.0), ("chin_forward", 0.7), ("brow_ridge", 1.7),
                         ("forehead_slope", 0.9), ("cheek_full", -0.7), ("cheek_bone", -0.4)):  # fmt: skip
        s.fields["gender"] += amount * s.fields[mode]


def small_parts(s: Sculpture) -> None:
    """Eyes, nose and mouth."""
    _eye_modes(s)
    _nose_modes(s)
    _mouth_modes(s)
    for mode, amount in (("eye_opening", -1.3), ("eye_size", -1.1), ("eye_height", -0.5), ("nose_length", 0.6),
                         ("nose_width", 0.9), ("nose_bridge", 0.7), ("nose_tip_up", -0.7), ("nose_hump", 0.5),
                         ("mouth_width", 0.4), ("upper_lip", -1.1), ("lower_lip", -1.0)):  # fmt: skip
        s.fields["gender"] += amount * s.fields[mode]


def _eye_modes(s: Sculpture) -> None:
    around = s.bump(EYE_X, 0, 15, 9)
    s.add("eye_spacing", X, 1.7, s.side * s.bump(EYE_X, 2, 19, 17))
    s.add("eye_height", Y, 2.6, s.front * np.exp(-(((s.y - 4) / 20) ** 2) / 2))
    s.add("eye_size", X, 0.085, (s.across - EYE_X) * s.side * around)
    s.add("eye_size", Y, 0.085, s.y * around)
    s.add("eye_opening", Y, 0.13, s.y * around)
    s.add("eye_tilt", Y, 0.065, (s.across - EYE_X) * around)
    s.add("eye_depth", Z, -2.0, s.bump(29, 3, 14, 9))
    s.add("eye_fold", Z, -1.0, s.bump(EYE_X, 9, 14, 3))
    s.add("lid_heavy", Y, -1.0, s.bump(EYE_X + 4, 9, 11, 4))
    s.add("lid_heavy", Z, 0.9, s.bump(EYE_X + 4, 9, 11, 4))
    s.add("asymmetry_eye", Y, 0.8, s.side * s.bump(EYE_X, 8, 16, 16))


def _nose_modes(s: Sculpture) -> None:
    below = ramp(s.y, NOSE_BASE - 2.5, NOSE_BASE + 3)
    s.add("nose_bridge", Z, 2.4, _ridge(s) * ramp(s.y, 18, 2) * ramp(s.y, -41, -17))
    s.add("nose_bridge_width", X, 0.16, s.x * s.bump(0, -14, 9, 13))
    s.add("nose_tip", Z, 3.0, s.bump(0, NOSE_TIP, 9, 8) * below)
    s.add("nose_tip_up", Y, 2.4, s.bump(0, NOSE_TIP - 2, 9, 7))
    s.add("nose_hump", Z, 1.8, s.bump(0, -15, 6, 7))
    s.add("nose_tip_width", X, 0.13, s.x * s.bump(0, NOSE_TIP, 10, 8))
    s.add("nose_width", X, 0.18, s.x * s.bump(9, NOSE_TIP - 2, 9, 8))
    s.add("nose_wings", Z, 1.8, s.bump(12.0, NOSE_TIP - 3, 4.6, 4.4) * below)
    s.add("nose_length", Y, -3.2, s.bump(0, NOSE_TIP - 1, 17, 14))
    s.add("asymmetry_nose", X, 1.3, s.bump(0, NOSE_TIP + 2, 14, 14))


def _mouth_modes(s: Sculpture) -> None:
    region = s.bump(0, MOUTH, 30, 14)
    s.add("mouth_width", X, 0.1, s.x * region)
    s.add("mouth_height", Y, 2.3, s.front * np.exp(-(((s.y - MOUTH) / 15) ** 2) / 2))
    s.add("lip_forward", Z, 2.0, s.bump(0, MOUTH, 17, 11))
    s.add("mouth_corner", Y, 1.1, s.bump(23, MOUTH, 8, 7))
    s.add("philtrum", Z, -0.5, s.bump(0, MOUTH + 14, 2.8, 5.5))
    s.add("asymmetry_mouth", Y, 0.7, s.side * s.bump(18, MOUTH, 12, 9))


def ageing(s: Sculpture) -> None:
    """A child's proportions (large vault and eyes, small nose and jaw) and an old face's sag; growth of a beard."""
    for mode, amount in (("face_length", -0.9), ("chin_length", -1.8), ("chin_forward", -0.9), ("jaw_width", -1.0),
                         ("jaw_square", -1.0), ("nose_length", -2.2), ("nose_bridge", -2.2), ("nose_tip", -1.3),
                         ("nose_tip_up", 1.0), ("nose_width", -0.8), ("cheek_full", 1.5), ("brow_ridge", -1.2),
                         ("forehead_height", 1.0), ("forehead_slope", -1.3), ("eye_size", 1.6), ("eye_opening", 0.8),
                         ("eye_height", -1.6), ("mouth_width", -1.6), ("mouth_height", 0.8)):  # fmt: skip
        s.fields["child"] += amount * s.fields[mode]
    for mode, amount in (("nose_length", 1.0), ("nose_tip", 0.5), ("nose_tip_up", -0.9), ("lid_heavy", 1.2),
                         ("eye_opening", -0.7), ("temple", -1.0), ("mouth_corner", -1.4)):  # fmt: skip
        s.fields["old"] += amount * s.fields[mode]
    s.add("old", Z, -4.0, s.bump(46, -43, 13, 13))
    s.add("old", Y, -4.5, s.bump(40, -72, 14, 16))
    s.add("old", X, 4.5, s.side * s.bump(50, -88, 14, 12))
    s.add("old", Z, 2.2, s.bump(26, -57, 6, 12))
    s.add("old", Z, 2.0, s.bump(EYE_X, -12, 11, 4))
    growth = s.front * ramp(s.y, MOUTH, -104)
    s.add("beard", Y, -9.0, s.front * ramp(s.y, -92, -113))
    s.add("beard", Z, 7.0, growth * np.exp(-((s.x / 40) ** 2) / 2))
    s.add("beard", X, 3.0, s.side * growth * ramp(s.across, 20, 45))


def expressions(s: Sculpture) -> None:
    """What the facial movements do."""
    corner, brow = s.bump(24, MOUTH, 9, 9), s.bump(34, 20, 16, 9)
    inner, cheek = s.bump(13, 18, 9, 9), s.bump(38, -40, 13, 12)
    s.add("inner_brow_raise", Y, 5.5, inner)
    s.add("outer_brow_raise", Y, 6.5, brow)
    s.add("inner_brow_raise", Y, 1.5, s.front * ramp(s.y, 25, 45) * ramp(s.y, 75, 55))
    s.add("frown", X, -3.2, s.side * inner)
    s.add("frown", Y, -4.8, inner)
    s.add("frown", Z, 1.5, inner)
    s.add("cheek_raise", Y, 3.0, cheek)
    s.add("cheek_raise", Z, 3.0, cheek)
    s.add("nose_wrinkle", Y, 3.0, s.bump(9, NOSE_TIP - 3, 12, 11))
    s.add("nose_wrinkle", Z, 1.6, s.bump(11, -8, 5, 9))
    s.add("nose_wrinkle", Y, -2.5, inner)
    s.add("upper_lip_raise", Y, 3.4, s.bump(10, MOUTH + 6.5, 13, 5))
    s.add("upper_lip_raise", Z, 1.0, s.bump(24, MOUTH + 17, 8, 8))
    s.add("smile", X, 6.0, s.side * corner)
    s.add("smile", Y, 6.5, corner)
    s.add("smile", Z, -3.2, corner)
    s.add("smile", Z, 3.0, cheek)
    s.add("smile", Y, 2.0, cheek)
    s.add("corners_down", Y, -5.5, corner)
    s.add("corners_down", X, 1.0, s.side * corner)
    s.add("chin_raise", Y, 3.0, s.bump(0, -90, 18, 9))
    s.add("chin_raise", Z, 1.5, s.bump(0, -98, 14, 9))
    s.add("pucker", X, -0.30, s.x * s.bump(0, MOUTH, 26, 12))
    s.add("pucker", Z, 6.0, s.bump(0, MOUTH, 15, 11))
    s.add("lip_stretch", X, 5.5, s.side * corner)
    s.add("lip_stretch", Y, -1.5, corner)
    s.add("lip_press", Y, -0.35, (s.y - MOUTH) * s.bump(0, MOUTH, 22, 8))
    s.add("lip_press", Z, -1.8, s.bump(0, MOUTH, 20, 9))
    _mouth_opening(s)


def _mouth_opening(s: Sculpture) -> None:
    """Points below the mouth line go down; at the corners the lips stay together."""
    sealed = np.clip(1 - (s.x / 23) ** 2, 0, 1)
    under = ramp(s.y, MOUTH + 0.6, MOUTH - 0.6)
    drop = under * (sealed + (1 - sealed) * ramp(s.y, MOUTH - 0.5, -92))
    s.add("jaw_open", Y, -21.0, s.front * drop * ramp(s.across, 85, 45))
    s.add("jaw_open", Z, -5.0, s.front * ramp(s.y, -80, -110))
    s.add("jaw_open", X, -1.5, s.side * s.bump(24, MOUTH, 9, 12))
    lips = np.sqrt(sealed) * s.front
    s.add("lips_part", Y, -3.8, lips * under * ramp(s.y, MOUTH - 27, MOUTH - 11))
    s.add("lips_part", Y, 2.6, lips * (1 - under) * ramp(s.y, MOUTH + 15, MOUTH + 5.5))
