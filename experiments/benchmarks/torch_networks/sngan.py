"""SNGAN for images of 32 pixels: three blocks in G, four in D.

Miyato et al. 2018 (https://arxiv.org/abs/1802.05957), table 4.
"""

from experiments.benchmarks.torch_networks import resnets


def generator(w, drawn, label, *, shape, widths=(256,) * 4):
  """Latents to images in [-1, 1], without classes."""
  assert label is None
  blocks = len(widths) - 1
  base = [size // 2**blocks for size in shape[:2]]
  return resnets.grown(w, drawn['z'], [None] * blocks, base=base, epsilon=2e-5)


def discriminator(w, x, label, drawn, *, shape, widths=(128,) * 4):
  """Images to logits [B]; two blocks halve."""
  del drawn, shape
  return resnets.critic(w, x, label, blocks=len(widths), halvings=2)
