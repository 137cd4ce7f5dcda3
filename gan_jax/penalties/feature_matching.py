"""Feature matching: fakes are to have the features that reals have on average.

Salimans et al. 2016, Improved Techniques for Training GANs
(https://arxiv.org/abs/1606.03498), section 3.1, by absolute differences as in
later programs:

  weight mean |m_fake - m_real|

where m are the means of D's features over the global batch. D has to give
some: that of vae_gan does, and those with the conditioning multi_hinge, which
has such a term of its own.
"""

from typing import Any

import jax
import jax.numpy as jnp

from gan_jax.game.forward import make_means
from gan_jax.penalties.shared import features

WHOLE_BATCH = True


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def g_term(
  forward: Any,
  memo: Any,
  *,
  weight: float = 1.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """Adds to G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    weight: of the mean absolute difference.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the term [B], the same for all examples, and memo.

  Raises:
    UserError: D gives no features.
  """
  _, gather = make_means(axis_name)
  flag = 'penalties.feature_matching'
  sides = [
    gather(features.of(heads, flag=flag)).mean(axis=0)
    for heads in (forward.on_fake, forward.on_real)
  ]
  gap = jnp.abs(sides[0] - sides[1]).mean()
  return jnp.full(len(forward.on_fake['logits']), weight * gap), memo
