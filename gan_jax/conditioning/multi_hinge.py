"""The multi-class hinge: K classes, and one of all fakes, in a single margin.

Kavalerov et al. 2021, A multi-class hinge loss for conditional GANs
(https://arxiv.org/abs/1912.04216), section 3, after Crammer and Singer 2001.
D has K + 1 scores s; with margin(x, k) = s_k - max of the others:

  D: max(0, 1 - margin(real, y)) + max(0, 1 - margin(fake, K))
  G: g_weight max(0, 1 - margin(fake, y)) + matching mean |m_fake - m_real|

where m are the means of D's features over the batch (feature matching, Salimans
et al. 2016, https://arxiv.org/abs/1606.03498, section 3.1). It stands in place
of the loss `hinge`, no other one can be meant. What penalties and reports know
as D's logit is the margin of the label.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gan_jax.conditioning.shared import heads
from gan_jax.game.forward import make_means

IN_PLACE_OF = 'hinge'


class Head(nn.Module):
  """D's features to the scores of all classes and of fakes."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns the heads of features [B, F] and label [B].

    Returns:
      {'logits': margins of the labels [B], 'class_logits': scores [B, K + 1],
      'features': as they came, [B, F]}, all float32.

    Raises:
      UserError: there are no classes.
    """
    heads.check_classes(label, self.num_classes)
    scores = self.dense(self.num_classes + 1, name='logits')(features)
    scores = heads.wide(scores)
    return {
      'logits': margin(scores, label),
      'class_logits': scores,
      'features': heads.wide(features),
    }


def margin(scores: jax.Array, label: Any) -> jax.Array:
  """How far a class is ahead of all others: [B, K], [B] or an int -> [B]."""
  classes = jnp.arange(scores.shape[-1])[None]
  own = jnp.broadcast_to(label, len(scores))[:, None] == classes
  others = jnp.where(own, -jnp.inf, scores).max(-1)
  return jnp.where(own, scores, 0).sum(-1) - others


def d_term(forward: Any, memo: Any) -> tuple[jax.Array, Any]:
  """D's loss of each example [B], and memo; see game.terms."""
  fakes = forward.on_fake['class_logits']
  hinge = lambda margins: jax.nn.relu(1 - margins)
  value = hinge(forward.on_real['logits'])
  return value + hinge(margin(fakes, fakes.shape[-1] - 1)), memo


def g_term(
  forward: Any,
  memo: Any,
  *,
  g_weight: float = 0.05,
  matching: float = 1.0,
  axis_name: str | None = None,
) -> tuple[jax.Array, Any]:
  """G's loss.

  Args:
    forward: game.terms.Forward.
    memo: passed through.
    g_weight: of the hinge.
    matching: weight of the distance of the features' means.
    axis_name: mesh axis over which the batch is split, if it is.

  Returns:
    the loss of each example [B], the distance the same in all, and memo.
  """
  _, gather = make_means(axis_name)
  mean = lambda judged: gather(judged['features']).mean(0)  # [F]
  gap = jnp.abs(mean(forward.on_fake) - mean(forward.on_real)).mean()
  hinge = jax.nn.relu(1 - forward.on_fake['logits'])
  return g_weight * hinge + matching * gap, memo
