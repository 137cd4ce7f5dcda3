"""Protocols by name: how a published score was measured.

A protocol fixes the feature net, the resizing, the reference split and the
number of samples. The FID of the papers before 2018 is 'tf-inception-10k-test'
or '-50k-train', of StyleGAN and later '-50k-train'; Parmar et al., On Aliased
Resizing and Surprising Subtleties in GAN Evaluation,
https://arxiv.org/abs/2104.11222, introduced the 'clean' resizing.
"""

from typing import NamedTuple

from gan_jax.types import UserError


class Protocol(NamedTuple):
  """How samples are scored."""

  features: str
  resize: str
  split: str  # of the data set, to score against
  num_samples: int


_SIZES = {'50k-train': ('train', 50_000), '10k-test': ('test', 10_000)}
_NETS = {
  'tf-inception': ('inception', 'tf'),
  'clean': ('inception', 'clean'),
  'classifier': ('classifier', ''),
}
PROTOCOLS = {
  f'{net}-{size}': Protocol(*_NETS[net], *_SIZES[size])
  for net in _NETS
  for size in _SIZES
}


def get(name: str) -> Protocol:
  """The protocol of a name.

  Raises:
    UserError: an unknown name; the message lists what exists.
  """
  if name not in PROTOCOLS:
    raise UserError(f'--protocol={name}: there are {", ".join(PROTOCOLS)}.')
  return PROTOCOLS[name]
