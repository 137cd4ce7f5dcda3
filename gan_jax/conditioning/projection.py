"""The projection discriminator: a class's embedding times D's features.

Miyato and Koyama 2018 (https://arxiv.org/abs/1802.05637), equation 3: the
logit is psi(features) + <embedding of the label, features>.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp


class Head(nn.Module):
  """D's features to its logits; without labels the plain logits.

  Its layers are those of the architecture, so that a norm holds for them too.
  """

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int = 0

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32}.

    Args:
      features: [B, F].
      label: [B] int, or None.
      pooled: [B, C], what the label is compared with where that is not all
        features, say their sum over the pixels.
    """
    logits = self.dense(1, name='logits')(features)[:, 0]
    logits = logits.astype(jnp.float32)
    if label is not None:
      x = features if pooled is None else pooled
      embedding = self.embed(self.num_classes, x.shape[-1], name='embed')
      logits += (embedding(label) * x).sum(-1).astype(jnp.float32)
    return {'logits': logits}
