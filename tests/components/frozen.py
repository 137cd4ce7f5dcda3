"""Thin networks, and what PyTorch makes of the same weights: its figures.

`test_*_parity.py` runs the networks by PyTorch and holds them to these figures
and ours to every number and slope; `test_models_frozen.py`, which needs no
PyTorch, holds ours to the figures.
"""

import functools
from typing import Any, NamedTuple

import jax
import numpy as np

from gan_jax.models import biggan, biggan_deep, infogan, sagan, sndcgan, sngan

LABEL = np.array([2, 0, 1, 2])
SHAPE = (8, 12, 3)


class Case(NamedTuple):
  """A network, the shape of its input and the figures of its output."""

  net: Any
  input: tuple[int, ...]
  figures: tuple[float, ...]


K = {'num_classes': 3}
RESNETS = {
  'sngan_g': Case(
    sngan.Generator(SHAPE, widths=(6, 5, 4), **K), (7,),
    (0.31155, 0.74945, 0.84463, 0.87902),
  ),
  'sngan_d': Case(
    sngan.Discriminator(widths=(4, 5, 6, 6), halvings=2, **K), SHAPE,
    (-0.20171, 0.37642, -0.36678, -0.71216),
  ),
  'wgan_gp_d': Case(
    sngan.Discriminator(
      widths=(4, 5, 6), stem=True, pool='none', norm='layer', **K
    ),
    SHAPE,
    (-7.4312, 7.0634, 2.1969, -4.3823),
  ),
  'self_modulated_g': Case(
    sngan.Generator(SHAPE, widths=(6, 5), modulation='latent', **K), (7,),
    (0.059123, 0.75541, -0.052319, 0.41307),
  ),
  'embedded_g': Case(
    sngan.Generator(SHAPE, widths=(6, 5), modulation='embedding', **K), (7,),
    (-0.076786, 0.73475, -0.51357, 0.99232),
  ),
  'sagan_g': Case(sagan.Generator(SHAPE, widths=(8, 8, 8), **K), (7,),
    (-0.034237, 0.57799, -0.86349, 0.68153),
  ),
  'sagan_d': Case(sagan.Discriminator(widths=(8, 8, 8), **K), SHAPE,
    (8.6961, 1.8245, 7.8387, 7.7864),
  ),
  'biggan_g': Case(
    biggan.Generator(
      SHAPE, unit=8, widths=(2, 1, 1), attention=(4,), shared=3, **K
    ),
    (10,),
    (0.49314, 0.25433, 0.067524, 0.39136),
  ),
  'biggan_d': Case(
    biggan.Discriminator(
      unit=8, widths=(1, 1, 2), halvings=2, attention=(4,), **K
    ),
    SHAPE,
    (1.9116, 5.2894, 5.0727, 5.1466),
  ),
  'biggan_deep_g': Case(
    biggan_deep.Generator(
      SHAPE, unit=8, widths=(2, 2, 1), attention=(0,), shared=3, **K
    ),
    (5,),
    (0.40235, 0.56467, 0.68523, 0.82053),
  ),
  'biggan_deep_d': Case(
    biggan_deep.Discriminator(
      unit=8, widths=(1, 2, 2), halvings=1, attention=(0,), **K
    ),
    SHAPE,
    (31.403, 10.452, 22.536, 23.352),
  ),
}  # fmt: skip
CONVOLUTIONS = {
  'sndcgan_g': Case(
    sndcgan.Generator(SHAPE, widths=(6, 5, 4), **K), (7,),
    (0.38042, 0.74551, -0.60857, 0.87186),
  ),
  'sndcgan_d': Case(
    sndcgan.Discriminator(widths=(4, 5, 6), **K), SHAPE,
    (-2.8909, 0.60255, -3.1686, -3.3913),
  ),
  'infogan_g': Case(
    infogan.Generator(SHAPE, hidden=(9,), widths=(5, 4), **K), (7,),
    (0.14593, 0.68395, 0.096863, 0.25888),
  ),
  'infogan_d': Case(
    infogan.Discriminator(widths=(4, 5), hidden=(9,), **K), SHAPE,
    (1.1169, 0.23058, 0.90073, 1.4683),
  ),
}  # fmt: skip
CASES = RESNETS | CONVOLUTIONS


def drawn(variables):
  """Numbers in the shapes of variables: no bias is 0 and no scale is 1."""
  rng = np.random.default_rng(0)

  def draw(path, like):
    if path[-1].key == 'var':
      return np.float32(rng.uniform(0.5, 2, like.shape))
    return np.float32(rng.normal(size=like.shape) / 2)

  return jax.tree_util.tree_map_with_path(draw, variables)


def begun(case: Case):
  """(variables, input [B, ...], run): run(params, x) is the output."""
  x = np.random.default_rng(3).normal(size=(len(LABEL), *case.input))
  x = np.float32(x)
  init = functools.partial(case.net.init, train=True)
  shapes = jax.eval_shape(init, jax.random.key(0), x, LABEL)
  variables = drawn(dict(shapes))
  others = {k: v for k, v in variables.items() if k != 'params'}

  def run(params, x):
    tree = {'params': params, **others}
    y, _ = case.net.apply(tree, x, LABEL, train=True, mutable=list(others))
    return y

  return variables, x, run


def figures(y) -> tuple[float, ...]:
  """Mean, deviation, and the first and the last number of an output."""
  y = np.asarray(y, np.float64)
  return y.mean(), y.std(), y.flat[0], y.flat[-1]
