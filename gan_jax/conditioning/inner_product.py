"""The class's vector times D's: the logit of a class, without one of none.

R3GAN (https://arxiv.org/abs/2501.05441), StyleGAN2 with classes and GAT end so:
the logit is <W features, embedding of the label>. The projection discriminator
(see projection.py) adds a logit to it that no label has a part in.
"""

from collections.abc import Callable

import flax.linen as nn

from gan_jax.conditioning.shared import heads

SLOWNESS = 100  # of a mapping's weights, see `slow`
# What is left of it after `slow` has made it smaller is Glorot's.
SLOW_INIT = nn.initializers.variance_scaling(SLOWNESS**2, 'fan_avg', 'uniform')


class Head(nn.Module):
  """D's features to its logits; without labels the plain logits."""

  dense: Callable  # (features, name=) -> module
  embed: Callable  # (classes, features, name=) -> module
  num_classes: int
  dim: int = 0  # of the vectors that are compared; 0: as the features are
  mapping: int = 0  # layers that the class's embedding goes through

  @nn.compact
  def __call__(self, features, label=None, pooled=None):
    """Returns {'logits': [B] float32}.

    Args:
      features: [B, F].
      label: [B] int, or None.
      pooled: [B, C], what the label is compared with where that is not all
        features, say their sum over the pixels.
    """
    if label is None:
      return {'logits': heads.logit(self.dense, features)}
    x = features if pooled is None else pooled
    dim = self.dim or x.shape[-1]
    classes = self.embed(self.num_classes, dim, name='embed')(label)  # [B, dim]
    classes = mapped(self.dense, classes, dim, self.mapping)
    x = self.dense(dim, name='logits')(x)
    return {'logits': heads.wide((x * classes).sum(1))}


def mapped(dense: Callable, x, features: int, layers: int):
  """Slow dense layers, SiLU between them: [B, F] -> [B, features].

  For a compact method, whose layers these are.
  """
  for i in range(layers):
    x = nn.silu(x) if i else x
    x = slow(dense, features, x, name=f'mapping_{i}')
  return x


def slow(dense: Callable, features: int, x, *, name: str):
  """A dense layer that Adam moves a hundred times as slowly as others.

  Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix C: the weights
  are stored a hundred times as large as they are used. A norm of kernels would
  undo that, so there is none.
  """
  layer = dense(features, kernel_init=SLOW_INIT, kernel_norm=None, name=name)
  return layer(x) / SLOWNESS
