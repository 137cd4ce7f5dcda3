"""Residual blocks that are wide inside: R3GAN's, of grouped convolutions."""

import flax.linen as nn

from gan_jax.models.layers import parts, residual
from gan_jax.types import UserError

SLOPE = 0.2  # of leaky ReLU
ACTIVATED = 2 / (1 + SLOPE**2)  # variance that a leaky ReLU takes away


class Block(nn.Module):
  """1 x 1 widens, 3 x 3 in groups, 1 x 1 narrows; added to what came in.

  Huang et al. 2024 (https://arxiv.org/abs/2501.05441), section 3.2. A bias and
  a leaky ReLU follow the first two. The last starts at zero, the others the
  smaller the more blocks there are, as in Fixup (Zhang et al. 2019,
  https://arxiv.org/abs/1901.09321): so that no norm is needed.
  """

  part: parts.Parts
  blocks: int  # of the whole network
  group: int = 16  # channels of each group
  expansion: int = 2

  @nn.compact
  def __call__(self, x):
    """[B, H, W, C] -> the same shape."""
    part, hidden = self.part, self.expansion * x.shape[-1]
    if self.group < 1 or hidden % self.group:
      raise UserError(
        f'group={self.group}: a block of {hidden} channels cannot be cut into'
        ' groups of so many; expected a divisor.'
      )
    init = nn.initializers.variance_scaling(
      ACTIVATED / self.blocks**0.5, 'fan_in', 'normal'
    )
    y = residual.conv1(part, hidden, kernel_init=init, name='widen')(x)
    y = nn.leaky_relu(part.norm(name='norm_0')(y), SLOPE)
    groups = {'groups': hidden // self.group, 'name': 'grouped'}
    y = residual.conv3(part, hidden, inner=init, **groups)(y)
    y = nn.leaky_relu(part.norm(name='norm_1')(y), SLOPE)
    # Zeros have no largest singular value that they could be divided by.
    narrow = residual.conv1(
      part, x.shape[-1], use_bias=False, kernel_norm=None,
      kernel_init=nn.initializers.zeros, name='narrow',
    )  # fmt: skip
    return x + narrow(y)
