"""The pull-away term: samples of a batch are to point in different directions.

Zhao et al. 2017, Energy-based Generative Adversarial Networks
(https://arxiv.org/abs/1609.03126), section 2.4: a stand-in for the entropy of
what G makes,

  weight 1 / (B (B - 1)) sum over i, j != i of cos(s_i, s_j)^2

of representations s of the fakes of the global batch: D's features of them, or
the samples themselves.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.forward import make_means
from gan_jax.game.gradients import safe_norm
from gan_jax.game.terms import samples_of
from gan_jax.penalties.shared import features
from gan_jax.types import UserError

WHOLE_BATCH = True
SPACES = 'features', 'samples'


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def g_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 0.1,
  space: str = 'features',
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the mean squared cosine.
    space: 'features' of D, or 'samples'.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the term [B], the same for all examples, and memo.

  Raises:
    UserError: another space, or D gives no features.
  """
  flag = 'penalties.pull_away'
  if space not in SPACES:
    raise UserError(
      f'{flag}.space={space!r}: expected one of {", ".join(SPACES)}.'
    )
  if space == 'samples':
    fake = samples_of(forward.fake)
    own = fake.reshape(len(fake), -1).astype(jnp.float32)
  else:
    own = features.of(forward.on_fake, flag=flag)
  unit = make_means(axis_name)[1](own / safe_norm(own)[:, None])  # [N, F]
  size = len(unit)
  cosines = jnp.square(unit @ unit.T) * (1 - jnp.eye(size))
  term = weight * cosines.sum() / max(size * (size - 1), 1)
  return jnp.full(len(forward.on_fake['logits']), term), memo
