"""Samples that take some of their styles from another latent.

Karras et al. 2019, https://arxiv.org/abs/1812.04948, section 3.1 and figure 3.
"""

import jax.numpy as jnp

from gan_jax.types import UserError

# Of the layers of G, coarse to fine: the two smallest grids, the next two, the
# rest; as many layers of StyleGAN2 have styles.
GROUPS = {'coarse': (0, 4), 'middle': (4, 8), 'fine': (8, None)}


def layers_of(words: str, count: int) -> range:
  """The layers that `words` mean: one of GROUPS, or first-last, such as 0-3.

  Args:
    words: of a flag.
    count: of the layers that there are.

  Raises:
    UserError: none of them.
  """
  if words in GROUPS:
    layers = range(count)[slice(*GROUPS[words])]
  else:
    first, dash, last = words.partition('-')
    ends = (first, last if dash else first)
    if not all(end.isascii() and end.isdecimal() for end in ends):
      raise UserError(
        f'{words}: expected one of {", ".join(GROUPS)}, or layers such as 0-3.'
      )
    layers = range(int(ends[0]), int(ends[1]) + 1)
  if not len(layers) or layers[-1] >= count:
    raise UserError(
      f'{words}: no such layers; this generator has {count}, 0 to {count - 1}.'
    )
  return layers


def mixed(base, other, layers: range):
  """Styles [B, L, W]: of `other` in these layers, of `base` elsewhere."""
  count = base.shape[1]
  place = jnp.arange(count)
  which = (place >= layers.start) & (place < layers.stop)
  return jnp.where(which[None, :, None], other, base)
