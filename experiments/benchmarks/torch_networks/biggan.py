"""BigGAN for images of 32 pixels: Brock et al. 2019, appendix B, CIFAR-10."""

from experiments.benchmarks.torch_networks import resnets

BLOCKS = 3  # of G; D has one more


def generator(w, drawn, label, *, shape, unit, shared):
  """Latents and classes to images in [-1, 1]; the grid of 16 rows attends."""
  del unit, shared
  z, length = drawn['z'], drawn['z'].shape[1]
  each = length // (BLOCKS + 1)
  base = [size // 2**BLOCKS for size in shape[:2]]
  parts = [length - BLOCKS * each, *[each] * BLOCKS]
  # The largest grid but the last attends.
  return resnets.biggan(w, z, label, parts=parts, base=base, attends=(1,))


def discriminator(w, x, label, drawn, *, shape, unit):
  """Images to logits [B]; two blocks halve, after the first it attends."""
  del drawn, shape, unit
  own = {'blocks': BLOCKS + 1, 'halvings': 2, 'attends': (0,)}
  return resnets.critic(w, x, label, **own)
