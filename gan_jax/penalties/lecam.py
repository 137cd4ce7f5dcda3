"""LeCam: D's logits kept near averages of those of the other kind.

Tseng et al. 2021, Regularizing Generative Adversarial Networks under Limited
Data (https://arxiv.org/abs/2104.03310):

  weight (max(0, D(x) - a_fake)^2 + max(0, a_real - D(G(z)))^2)

with a_real and a_fake moving averages of the batch means of the logits, those
of this batch among them, without the pull to 0 of their beginning (corrected as
the moments of Adam are).
"""

from typing import Any

import jax
import jax.numpy as jnp

WHOLE_BATCH = True


def init() -> dict:
  """Returns the memo: both averages, uncorrected, and their count."""
  zero = jnp.float32(0)
  return {'real': zero, 'fake': zero, 'count': jnp.int32(0)}


def d_term(
  forward: Any,
  memo: dict,
  *,
  weight: float = 0.3,
  decay: float = 0.99,
  start: int = 1000,
  axis_name: str | None = None,
) -> tuple[jax.Array, dict]:
  """Adds to D's loss.

  Args:
    forward: game.terms.Forward.
    memo: see init.
    weight: the paper's lambda.
    decay: of the averages, for each move of D.
    start: the step from which it counts; the averages follow from the first.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the term of each example [B], and the averages with this batch.
  """
  over = lambda x: jax.lax.pmean(x, axis_name) if axis_name else x
  real, fake = forward.on_real['logits'], forward.on_fake['logits']
  mean = lambda x: jax.lax.stop_gradient(over(x.mean()))
  follow = lambda old, new: decay * old + (1 - decay) * new
  after = {
    'real': follow(memo['real'], mean(real)),
    'fake': follow(memo['fake'], mean(fake)),
    'count': memo['count'] + 1,
  }
  known = 1 - decay ** after['count'].astype(jnp.float32)
  above = jax.nn.relu(real - after['fake'] / known)
  below = jax.nn.relu(after['real'] / known - fake)
  value = weight * (jnp.square(above) + jnp.square(below))
  return jnp.where(forward.batch['step'] >= start, value, 0.0), after
