"""SAGAN: H. Zhang et al., Self-attention generative adversarial networks.

2019, https://arxiv.org/abs/1805.08318, section 4: SNGAN's networks with
spectral norm in G too, and one grid of each whose places attend to each other;
at 128 pixels that of 32 rows.
"""

from gan_jax.models import sngan

KINDS = ('image',)  # of samples
ignored = sngan.ignored
LARGEST = 32  # rows of the grid that attends, where the image is larger


class Generator(sngan.Generator):
  """Latent vectors to images in [-1, 1]."""

  norm: str = 'spectral+batch'
  ATTENDS = LARGEST  # () is the largest grid of at most so many rows


class Discriminator(sngan.Discriminator):
  """Images to logits; the head compares a label with the pooled features."""

  ATTENDS = LARGEST  # () is the largest grid of at most so many rows
