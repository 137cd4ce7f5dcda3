"""StyleGAN2's projection: mapped features compared with the mapped label.

Karras et al. 2020, https://arxiv.org/abs/2006.06676, as in the authors' code:
D's last layer gives as many numbers as it has features; the logit is their
product with the label's embedding, which a mapping network makes where the
architecture embeds labels so, divided by the root of their number.
"""

import math
from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads


class Head(nn.Module):
  """D's features to its logits; without labels the plain logits."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32}.

    Args:
      features: [B, F].
      label: [B] int, or None.
      pooled: [B, C], which takes no part.
    """
    del pooled
    count = 1 if label is None else features.shape[1]
    mapped = self.dense(count, name='logits')(features)
    if label is not None:
      mapped *= self.embed(self.num_classes, count, name='embed')(label)
    logits = heads.wide(mapped).sum(1)
    return {'logits': logits / math.sqrt(count)}
