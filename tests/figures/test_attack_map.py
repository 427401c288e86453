"""Maps over pictures: colours say the sign, grey what is not concerned; depth is light where it is near."""

from __future__ import annotations

import numpy as np

from workbench.figures.attack_map import depth_picture, grey_picture, laid_over


def test_the_sign_of_a_map_is_its_colour() -> None:
    image = np.full((2, 2, 3), 100, np.uint8)
    seen = laid_over(image, np.array([[4, -4], [0, 2]], np.float32)).astype(int)
    # A quarter of 100, and three quarters of (213, 94, 0) or (0, 114, 178), rounded.
    assert seen[0, 0].tolist() == [185, 96, 25]
    assert seen[0, 1].tolist() == [25, 110, 158]
    assert seen[1, 0].tolist() == [100, 100, 100]
    assert seen[1, 1].tolist() == [142, 98, 62]
    assert np.array_equal(laid_over(image, np.zeros((2, 2), np.float32)), image)


def test_depth_is_light_where_near_and_black_where_nothing_was_measured() -> None:
    seen = depth_picture(np.array([[500, 600], [np.inf, 550]], np.float32))[..., 0]
    assert seen.tolist() == [[255, 50], [0, 152]]
    assert not depth_picture(np.full((2, 2), np.inf, np.float32)).any()
    assert depth_picture(np.full((2, 2), 7.0, np.float32)).min() == 255
    assert grey_picture(np.array([[3]], np.uint8)).tolist() == [[[3, 3, 3]]]
