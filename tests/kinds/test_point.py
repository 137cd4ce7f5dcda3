"""Points: scatter plots whose axes do not move."""

import numpy as np
import pytest

from gan_jax.kinds import point

RING = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)


def _blue(image):
  """Centre of the accent-coloured pixels, [2] as (x, y)."""
  r, g, b = np.asarray(image, np.int32).transpose(2, 0, 1)
  return np.argwhere((b > 180) & (r < 140))[:, ::-1].mean(axis=0)


def test_scatter_axes_come_from_the_modes():
  modes = {'centers': RING, 'std': 0.01}
  there = [
    _blue(point.scatter(np.full((50, 2), at), modes=modes)) for at in (0.0, 0.5)
  ]
  few = _blue(point.scatter(np.full((2, 2), 0.5), modes=modes))
  assert there[1][0] > there[0][0] + 50 and there[1][1] < there[0][1] - 50
  assert abs(few - there[1]).max() < 2
  with_nan = np.array([[0.0, 0.0], [np.nan, 1.0], [9.0, 9.0]])
  assert point.scatter(with_nan, modes=modes).size == (600, 600)


@pytest.mark.parametrize('points', [np.zeros((4, 2)), np.full((4, 2), np.nan)])
def test_scatter_of_degenerate_points(points):
  image = point.picture(points, labels=[0, 1, 1, 0])
  assert image.size == (600, 600) and image.mode == 'RGB'


@pytest.mark.parametrize('count', [1, 3, 10, 11, 40])
def test_a_class_has_its_colour_in_every_picture(count):
  """Also where other classes are missing; few of them are named."""
  names = tuple(f'class {k}' for k in range(count))
  modes = {'centers': RING, 'std': 0.01}
  x = np.linspace([-0.9, -0.9], [0.9, 0.9], count, dtype=np.float32)
  draw = lambda x, labels: np.asarray(
    point.scatter(x, modes=modes, labels=labels, classes=names), np.int32
  )
  whole, alone = draw(x, names), draw(x[-1:], names[-1:])
  colourful = np.ptp(alone, axis=-1) > 40
  assert colourful[:30].any() == (count <= point.NAMED), 'the names'
  dot = colourful & (np.arange(600)[:, None] > 30)
  middle = tuple(np.median(np.argwhere(dot), axis=0).astype(int))
  assert np.ptp(whole[middle]) > 40 and (whole[middle] == alone[middle]).all()
  assert len(set(map(tuple, point._colours_of(names).values()))) == count
