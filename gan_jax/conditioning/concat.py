"""The class's embedding beside D's features, and a hidden layer of both.

Mirza and Osindero 2014, Conditional generative adversarial nets
(https://arxiv.org/abs/1411.1784), section 4.1: the sizes are theirs, 50 and
240 units; a leaky ReLU stands in place of their maxout.
"""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from gan_jax.conditioning.shared import heads


class Head(nn.Module):
  """D's features to its logits; without labels the plain logits."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int
  embedding: int = 50  # numbers of a class
  hidden: int = 240  # units of the layer that sees both

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32} of features [B, F] and label [B]."""
    if label is not None:
      table = self.embed(self.num_classes, self.embedding, name='embed')
      both = jnp.concatenate([features, table(label)], axis=-1)
      x = self.dense(self.hidden, name='hidden')(both)
      features = nn.leaky_relu(x, 0.2)
    return {'logits': heads.logit(self.dense, features)}
