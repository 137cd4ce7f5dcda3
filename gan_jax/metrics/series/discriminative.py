"""Discriminative score: how well a network tells generated series from real.

J. Yoon et al., Time-series Generative Adversarial Networks (2019), NeurIPS,
section 5: |accuracy - 1/2| of a judge on series that it did not learn from.
"""

from typing import NamedTuple

import numpy as np

from gan_jax.metrics.series import judge

NAME = 'discriminative'
MOST = 2500  # series of either side to learn from, and to be tested on
STRICT = judge.Recipe(hidden=16, steps=1000)
TRAINED = 0.8  # share that the published score learns from


class Parts(NamedTuple):
  """What the judge learns from and is tested on: real and fakes, [N, T, C]."""

  learned: tuple[np.ndarray, np.ndarray]
  tested: tuple[np.ndarray, np.ndarray]


def mended(real, held_out, fake, recipe: judge.Recipe) -> np.ndarray:
  """Which verdicts are right: bool [2 N], first of real ones, then of fakes.

  The judge learns from real series that the generator learned from too and from
  half of the fakes; it is tested on held-out ones and the other fakes, as many
  of each, so that 1/2 is chance. The score of perfect fakes is not 0 but about
  .4 / sqrt(2 N): guesses are right more or less often.

  Args:
    real: [R, T, C] of the training part.
    held_out: [H, T, C], never trained on.
    fake: [F, T, C].
    recipe: ours, of so many columns; or STRICT, which looks at the mean of all
      states for twice as long and so sees noise that ours does not.

  Raises:
    UserError: fewer than 2 fakes, shapes that differ, NaN or infinity.
  """
  real, fake = _checked(real, fake)
  held_out = judge.checked(held_out, f'{NAME}: held-out', like=real)
  half = len(fake) // 2
  learned, tested = min(len(real), half, MOST), min(len(held_out), half, MOST)
  parts = Parts(
    (real[:learned], fake[:learned]),
    (held_out[:tested], fake[half : half + tested]),
  )
  return _right(parts, recipe)


def as_timegan(real, fake) -> np.ndarray:
  """The same of the published code: 80 % to learn from, the rest as a test.

  Its traps, which are why `mended` exists: half as many units as columns (one
  of two columns, and none of a single one, which is 1 here); where windows of
  one long series overlap, those it is tested on are nearly those it learned
  from; real series are the ones that the generator was trained on, so a copy
  of the training set is perfect. GRU on the last state, Adam at .001, 2,000
  batches of 128.

  Args:
    real: [R, T, C].
    fake: [F, T, C].

  Raises:
    UserError: fewer than 2 of a side, shapes that differ, NaN or infinity.
  """
  real, fake = _checked(real, fake, least=2)
  size = min(len(real), len(fake))
  at = int(TRAINED * size)  # from 1 to size - 1
  parts = Parts((real[:at], fake[:at]), (real[at:size], fake[at:size]))
  return _right(parts, published(real.shape[-1]))


def ours(columns: int) -> judge.Recipe:
  """A judge of half as many units as columns as well, but of at least 8."""
  return judge.Recipe(max(8, columns // 2), sees='last')


def published(columns: int) -> judge.Recipe:
  """How the published judge of so many columns learns."""
  hidden = max(1, columns // 2)
  return judge.Recipe(
    hidden, sees='last', steps=2000, learning_rate=1e-3, decays=False
  )


def value(right) -> float:
  """|share - 1/2| of right verdicts [N]."""
  return float(abs(np.mean(right) - 0.5))


def _right(parts, recipe):
  x = np.concatenate(parts.learned)
  y = np.repeat(np.float32([1, 0]), [len(side) for side in parts.learned])
  params = judge.train(x, y, recipe)
  says = [judge.judge(params, side, recipe)[:, 0] > 0 for side in parts.tested]
  return np.concatenate([says[0], ~says[1]])


def _checked(real, fake, least=1):
  real = judge.checked(real, f'{NAME}: real', least=least)
  return real, judge.checked(fake, f'{NAME}: fake', least=2, like=real)
