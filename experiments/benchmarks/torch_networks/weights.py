"""Weights of our networks, found by the paths of ours and laid out for PyTorch.

`w.weight(path, leaf, layout)` is all that the functions of this folder ask for:
of Weights, which keep our layout, so that gradients can be compared leaf by
leaf; and of a Network, which has PyTorch's, made once.
"""

import functools
from collections.abc import Callable

import jax
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LAYOUTS = {  # ours is [h, w, I, O] or [I, O]
  'own': lambda x: x,
  'matrix': lambda x: x.T,  # [O, I]
  'conv': lambda x: x.permute(3, 2, 0, 1),  # [O, I, h, w]
  # A transposed convolution of theirs mirrors the kernel, ours does not.
  'up': lambda x: x.flip(0, 1).permute(2, 3, 0, 1),  # [I, O, h, w]
  'along': lambda x: x[:, 0].permute(2, 1, 0),  # [O, I, t]
  'up_along': lambda x: x.flip(0)[:, 0].permute(1, 2, 0),  # [I, O, t]
}
OUTPUTS = {  # to a matrix [O, all else], a view of what lies in memory
  'own': lambda x: x.reshape(-1, x.shape[-1]).T,
  'matrix': lambda x: x,
  'conv': lambda x: x.permute(0, 2, 3, 1).flatten(1),
  'up': lambda x: x.permute(1, 2, 3, 0).flatten(1),
  'along': lambda x: x.flatten(1),
  'up_along': lambda x: x.transpose(0, 1).flatten(1),
}
NORMED = ('kernel', 'embedding')  # leaves that spectral norm divides
unit = functools.partial(F.normalize, dim=0)


def divided(value, u, layout, *, iterations=1):
  """(A weight over its largest singular value, the new vector u [O]).

  Miyato et al. 2018 (https://arxiv.org/abs/1802.05957), algorithm 1.
  """
  matrix = OUTPUTS[layout](value)  # [O, N]
  with torch.no_grad():
    for _ in range(iterations):
      v = unit(matrix.T @ u)
      u = unit(matrix @ v)
  return value / (u @ (matrix @ v)), u


class Weights:
  """Tensors of a network in our layout, by the path of a module."""

  iterations = 1  # of a power iteration

  def __init__(self, params: dict, spectral: dict | None = None):
    self._params, self._spectral = params, spectral or {}

  def has(self, path: str, leaf: str = '') -> bool:
    """Whether there is such a module, with such a leaf."""
    own = self._at(self._params, path)
    return own is not None and (not leaf or leaf in own)

  def weight(self, path: str, leaf='kernel', layout='own'):
    """A weight, divided by its largest singular value where it is to be."""
    value = LAYOUTS[layout](self._at(self._params, path)[leaf])
    vectors = self._at(self._spectral, path)
    if leaf not in NORMED or not vectors or 'norm' not in vectors:
      return value
    return divided(value, vectors['norm']['u'], layout)[0]

  def running(self, path: str, like, momentum: float = 0.1) -> tuple:
    """The running mean and variance that a batch norm keeps: none."""
    del path, like, momentum
    return None, None

  def remember(self, path: str, value, decay: float):
    """Where a running average of a value would be kept: nowhere."""

  def _at(self, tree, path):
    for name in path.split('/') if path else ():
      tree = tree.get(name, {})
    return tree or None


class Network(nn.Module):
  """A function of weights as a module, which begins with our weights.

  Only what the function asks for is a parameter: their number says whether it
  has all of ours.

  Attributes:
    moves: whether running statistics and power iterations are kept.
    iterations: of a power iteration in each pass.
  """

  def __init__(self, function: Callable, variables: dict, *example):
    """Notes what the function asks for when it is called.

    Args:
      function: (w, *inputs) -> output.
      variables: of our network, {'params': ..., 'spectral': ...}, of arrays.
      *example: inputs.
    """
    super().__init__()
    self.function, self.moves, self.iterations = function, True, 1
    device = next(x for x in jax.tree.leaves(example) if x is not None).device
    tensor = lambda x: torch.tensor(np.asarray(x), device=device)
    trees = [
      jax.tree.map(tensor, variables.get(name, {}))
      for name in ('params', 'spectral')
    ]
    with torch.no_grad():
      function(_Recorder(self, *trees), *example)

  def forward(self, *inputs):
    """The function of the inputs."""
    return self.function(self, *inputs)

  def has(self, path, leaf=''):
    """Whether there is such a module, with such a leaf."""
    return f'{path}/{leaf}' in self.known

  def weight(self, path, leaf='kernel', layout='own'):
    """A weight, divided by its largest singular value where it is to be."""
    value = self._parameters[f'{path}/{leaf}']
    u = self._buffers.get(f'{path}/{leaf}/u')
    if u is None:
      return value
    value, new = divided(value, u, layout, iterations=self.iterations)
    if self.moves:
      u.copy_(new)
    return value

  def running(self, path, like, momentum=0.1):
    """The running mean and variance of a batch norm, to be written to."""
    del like, momentum
    if not self.moves:
      return None, None
    return self._buffers[f'{path}/mean'], self._buffers[f'{path}/var']

  def remember(self, path, value, decay):
    """Lets the running average of a value follow it."""
    if self.moves:
      with torch.no_grad():
        self._buffers[path].lerp_(value.float(), 1 - decay)


class _Recorder(Weights):
  """Weights that give a Network all that is asked of them."""

  def __init__(self, network, params, spectral):
    super().__init__(params, spectral)
    self._network, network.known = network, set()

  def has(self, path, leaf=''):
    found = super().has(path, leaf)
    if found:
      self._network.known.add(f'{path}/{leaf}')
    return found

  def weight(self, path, leaf='kernel', layout='own'):
    name, net = f'{path}/{leaf}', self._network
    if name not in net._parameters:
      value = LAYOUTS[layout](self._at(self._params, path)[leaf])
      flat = value.ndim == 4 and layout != 'own'
      how = torch.channels_last if flat else torch.contiguous_format
      kept = value.clone(memory_format=how)
      net.register_parameter(name, nn.Parameter(kept))
      vectors = self._at(self._spectral, path)
      if leaf in NORMED and vectors and 'norm' in vectors:
        net.register_buffer(f'{name}/u', vectors['norm']['u'].clone())
    return super().weight(path, leaf, layout)

  def running(self, path, like, momentum=0.1):
    for name, make in (('mean', torch.zeros), ('var', torch.ones)):
      whole = make(like.shape[1], device=like.device)
      self._network.register_buffer(f'{path}/{name}', whole)
    return super().running(path, like)

  def remember(self, path, value, decay):
    self._network.register_buffer(path, torch.zeros_like(value))
