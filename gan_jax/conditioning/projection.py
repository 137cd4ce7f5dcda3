"""The projection discriminator: a class's embedding times D's features.

Miyato and Koyama 2018 (https://arxiv.org/abs/1802.05637), equation 3: the
logit is psi(features) + <embedding of the label, features>.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads


class Head(nn.Module):
  """D's features to its logits; without labels the plain logits.

  Its layers are those of the architecture, so that a norm holds for them too.
  """

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32}.

    Args:
      features: [B, F].
      label: [B] int, or None.
      pooled: [B, C], what the label is compared with where that is not all
        features, say their sum over the pixels.
    """
    logits = heads.logit(self.dense, features)
    if label is not None:
      x = features if pooled is None else pooled
      embedding = self.embed(self.num_classes, x.shape[1], name='embed')
      logits += heads.wide((embedding(label) * x).sum(1))
    return {'logits': logits}
