"""R2 by a finite difference: D's slope at the fakes along one random direction.

Lin et al. 2025, Adversarial Flow Models (https://arxiv.org/abs/2511.22475), and
Hyun et al. 2025, Scalable GANs with Transformers (https://arxiv.org/abs/2509.24935),
have it in place of R2:

  gamma / 2 ((D(G(z) + epsilon n) - D(G(z))) / epsilon)^2,   n ~ N(0, I)

whose mean over n tends to R2 (penalties/r2) as epsilon does to 0. It costs two
passes of D forward and one back, where R2 differentiates D twice. Both judge
with the same draw of the augmentation. Defaults are those of the second paper;
the first has gamma=.5 and one_in=4. A D in bfloat16 needs a larger epsilon.
"""

from collections.abc import Callable
from typing import Any

import jax

from gan_jax.game import gradients

PER_EXAMPLE = True


def init() -> tuple:
  """Returns the memo: there is none."""
  return ()


def penalty(
  critic: Callable,
  real: jax.Array,
  fake: jax.Array,
  memo: Any,
  *,
  key: jax.Array,
  gamma: float = 0.1,
  epsilon: float = 0.01,
  one_in: int = 1,
) -> tuple[jax.Array, Any]:
  """Penalises D's slope at the fakes.

  Args:
    critic: samples [B, ...] -> logits [B].
    real: samples [B, ...]; unused.
    fake: samples [B, ...]; no gradient reaches them.
    memo: passed through.
    key: a typed key [], or one for each example [B].
    gamma: weight, as of R2; half of it multiplies the square.
    epsilon: length of the step, in model range.
    one_in: of so many neighbours in the batch the first is judged, and counts
      for all of them: 4 is a quarter of the batch, the same on any number of
      devices.

  Returns:
    the penalty of each example [B], and memo.
  """
  del real
  square = gradients.squared_difference(
    critic,
    jax.lax.stop_gradient(fake),
    key,
    epsilon=epsilon,
    one_in=one_in,
    flag='penalties.fd_r2',
  )
  return gamma / 2.0 * square, memo
