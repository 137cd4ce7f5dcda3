"""D sees no label: G alone is told the class.

Nothing in the game then asks G to heed it; what the label of a discriminator is
worth shows beside this.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads

SEES_LABEL = False


class Head(nn.Module):
  """D's features to its logits."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32} of features [B, F]."""
    return {'logits': heads.logit(self.dense, features)}
