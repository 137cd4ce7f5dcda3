"""A logit for each class, of which the label's is taken.

Mescheder et al. 2018, Which training methods for GANs do actually converge?
(https://arxiv.org/abs/1801.04406): in their experiments on ImageNet D has as
many outputs as there are classes. Choi et al.'s StarGAN v2
(https://arxiv.org/abs/1912.01865) calls it a multi-task discriminator.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning.shared import heads


class Head(nn.Module):
  """D's features to the label's logit; without labels there is one logit."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32} of features [B, F] and label [B]."""
    if label is None:
      return {'logits': heads.logit(self.dense, features)}
    heads.check_classes(label, self.num_classes)
    scores = heads.wide(self.dense(self.num_classes, name='logits')(features))
    own = jnp.take_along_axis(scores, label[:, None], axis=1)
    return {'logits': own.squeeze(1)}
