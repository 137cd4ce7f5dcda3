"""What a generator's first layer makes of a latent, and its weights.

A layer is the first whose output depends on z; which part of its kernel meets z
is seen from its slope at z = 0, so that it may take a part of z, or z beside a
class.
"""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from gan_jax.game import networks
from gan_jax.models.layers import blocks, magnitude
from gan_jax.run.samplers import making, settling
from gan_jax.types import G, UserError

DENSE = nn.Dense, blocks.Dense, magnitude.Linear
AFFINE = 'affine'  # the layers of a style's scales


def of_styles(params: Any) -> np.ndarray:
  """The weights of all maps from a style w to scales: [W, F].

  Args:
    params: of a generator of models/stylegan2 or stylegan3.
  """
  paths = jax.tree_util.tree_flatten_with_path(params)[0]
  names = lambda path: [getattr(key, 'key', '') for key in path]
  own = [x for path, x in paths if names(path)[-2:] == [AFFINE, 'kernel']]
  return np.concatenate([np.asarray(x) for x in own], axis=1)


def first_weights(own: Any) -> np.ndarray:
  """How the first layer's features follow z: [Z, F], by its slope at 0.

  Args:
    own: spaces.Space of latents.

  Raises:
    UserError: z goes through no dense layer.
  """
  z = np.zeros((1, *own.points.shape[1:]), np.float32)
  slopes = jax.jit(jax.jacrev(lambda z: _dense(own, z)))(z)
  for slope in slopes:  # [1, F, 1, Z]
    slope = np.asarray(slope)
    if slope.any():
      return slope.reshape(slope.shape[1], -1).T
  raise _none(own)


def first_features(own: Any, latents: Any, labels: Any) -> np.ndarray:
  """The features [N, F] of latents in that layer; of classes as they come."""
  slopes = first_weights(own)
  z = latents['z'] if isinstance(latents, dict) else latents
  del labels  # shifts them, at most
  return making.in_batches(lambda z: z @ slopes, z)


def _dense(own, z):
  """The outputs [1, F] of the generator's dense layers, first to last."""
  net = own.setup.rules().game.nets[G]
  tree = {
    'params': own.variables[G]['params'],
    **own.variables[G]['vars'],
  }
  first = jax.tree.map(lambda x: x[:1], own.latents)
  latent = {**first, 'z': z} if isinstance(first, dict) else z
  label = None if own.labels is None else own.labels[:1]
  passes = []

  def look(method, args, kw, context):
    made = method(*args, **kw)
    is_call = context.method_name == '__call__'
    if is_call and isinstance(context.module, DENSE) and made.ndim == 2:
      passes.append(made)
    return made

  with nn.intercept_methods(look):
    networks.apply(net, tree, latent, label, train=False)
  return passes


def _none(own):
  return UserError(
    f'direction: the latent of model {settling.model_of(own.setup)} goes'
    ' through no dense layer, of which its directions would be.'
  )
