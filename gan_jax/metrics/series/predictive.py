"""Predictive score: does a forecaster that learned on fakes know the real?

J. Yoon et al., Time-series Generative Adversarial Networks (2019), NeurIPS,
section 5: mean absolute error of the last column, one step ahead.
"""

import numpy as np

from gan_jax.metrics.series import judge
from gan_jax.types import UserError

MOST = 5000  # series of either side
MENDED = judge.Recipe(16, sees='each', loss='absolute', steps=500)


def mended(held_out, fake) -> np.ndarray:
  """Mean absolute error of each held-out series [H], in model range.

  All columns up to a moment tell the last column of the next one. Compare it
  with the same of real series in place of the fakes.

  Args:
    held_out: [H, T, C], never trained on, T >= 2.
    fake: [F, T, C], which the forecaster learns from.

  Raises:
    UserError: a single moment, shapes that differ, NaN or infinity.
  """
  held_out, fake = _checked(held_out, fake)
  return _errors(held_out, fake, slice(None), MENDED)


def as_timegan(real, fake) -> np.ndarray:
  """The same of the published code, of real series [R] and in 0 to 1.

  Its traps: only the other columns are looked at, so there must be two; half
  as many units as columns, which is one of two; it is tested on all that the
  generator was trained on. GRU, Adam at .001, 5,000 batches of 128.

  Args:
    real: [R, T, C]; its lowest and highest values are 0 and 1 of each column.
    fake: [F, T, C].

  Raises:
    UserError: a single column; else as mended.
  """
  real, fake = _checked(real, fake)
  columns = real.shape[-1]
  if columns < 2:
    raise UserError(
      'predictive: variant=timegan tells the last column by the others;'
      ' expected two or more, there is one'
    )
  low, high = real.min(axis=(0, 1)), real.max(axis=(0, 1))
  real, fake = (
    (x - low) / (high - low + np.float32(1e-7)) for x in (real, fake)
  )
  return _errors(real, fake, slice(-1), published(columns))


def published(columns: int) -> judge.Recipe:
  """How the published forecaster of so many columns learns."""
  return judge.Recipe(
    max(1, columns // 2), sees='each', loss='absolute', squashed=True,
    steps=5000, learning_rate=1e-3, decays=False,
  )  # fmt: skip


def _errors(real, fake, columns, recipe):
  fake, real = fake[:MOST], real[:MOST]
  before = lambda x: x[:, :-1, columns]
  after = lambda x: x[:, 1:, -1]
  params = judge.train(before(fake), after(fake), recipe)
  guess = judge.judge(params, before(real), recipe)[..., 0]  # [R, T - 1]
  return np.abs(guess - after(real)).mean(axis=1)


def _checked(real, fake):
  real = judge.checked(real, 'predictive: real')
  fake = judge.checked(fake, 'predictive: fake', like=real)
  if real.shape[1] < 2:
    raise UserError('predictive: expected two moments or more, there is one')
  return real, fake
