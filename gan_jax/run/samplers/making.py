"""What is compiled to draw samples in another way, and its parts.

As in `programs`, the same structure has the same functions, and what is a float
of a way is no part of it.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import forward, networks
from gan_jax.game.sampling import truncation
from gan_jax.run import programs, sampling
from gan_jax.run.samplers import settling
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.way import Way
from gan_jax.types import D, G

KEPT = 8  # setups and ways whose functions stay
BATCH = sampling.BATCH


class Parts(NamedTuple):
  """Functions of a setup and a way; variables are State.ema of one seed.

  latents: keys [B] -> latents [B, ...], a tree.
  samples: (variables, latents, label) -> samples [B, ...]; styles truncated.
  sample: (variables, key, index, label) -> the samples of these latents.
  styles: (variables, z [B, Z], label) -> truncated styles [B, L, W].
  images: (variables, styles, noise) -> samples.
  centre: variables -> the average style [W].
  judge: (variables, samples, label) -> D's logits [B]; variables has D as well.
  """

  latents: Callable
  samples: Callable
  sample: Callable
  styles: Callable
  images: Callable
  centre: Callable
  judge: Callable


def parts(setup, way: Way) -> Parts:
  """The functions of a setup and a settled way."""
  amount = np.float32(1 if way.truncation is None else way.truncation)
  codes = settling.codes_of(setup)
  size = codes[0][0] if codes else 0
  of = _compiled(setup.structure, way._replace(truncation=None), size)
  return Parts(*(functools.partial(f, setup.numbers, amount) for f in of))


@functools.lru_cache(KEPT)
def _compiled(structure, way, size):
  make_rules = programs.functions(structure).make_rules
  styled = way.truncation_mode == way_lib.STYLE

  def latents(numbers, amount, keys):
    prior = make_rules(numbers).game.prior
    return jax.vmap(settling.prior_of(prior, way, amount, size=size))(keys)

  def samples(numbers, amount, variables, latent, label=None):
    if styled:
      noise = latent.get('noise') if isinstance(latent, dict) else None
      z = latent['z'] if isinstance(latent, dict) else latent
      ws = styles(numbers, amount, variables, z, label)
      return images(numbers, amount, variables, ws, noise)
    game = make_rules(numbers).game
    made = _apply(game.nets[G], variables[G], latent, label)
    return jax.tree.map(lambda x: x.astype(jnp.float32), made)

  def sample(numbers, amount, variables, key, index, label=None):
    keys = sampling.keys_of(key, index)
    latent = latents(numbers, amount, keys)
    return samples(numbers, amount, variables, latent, label)

  def styles(numbers, amount, variables, z, label=None):
    net = make_rules(numbers).game.nets[G]
    # What the run's own option says of it, the way says better.
    net = net.clone(truncation=1.0) if styled else net
    ws = _apply(net, variables[G], z, label, method='styles')
    middle = centre(numbers, amount, variables)
    layers = way.truncation_layers
    return truncation.towards(ws, middle, amount, layers=layers)

  def images(numbers, amount, variables, ws, noise=None):
    del amount
    net = make_rules(numbers).game.nets[G]
    made = _apply(net, variables[G], ws, noise, method='images')
    return made.astype(jnp.float32)

  def centre(numbers, amount, variables):
    del amount
    net, own = make_rules(numbers).game.nets[G], variables[G]
    return net.apply({'params': own['params'], **own['vars']}, method='centre')

  def judge(numbers, amount, variables, x, label=None):
    del amount
    net = make_rules(numbers).game.nets[D]
    made = _apply(net, variables[D], x, label)
    return forward.heads_of(made)['logits']

  made = latents, samples, sample, styles, images, centre, judge
  return Parts(*map(jax.jit, made))


def _apply(net, own, *inputs, method=None):
  """A network's output in evaluation mode, or that of one of its methods."""
  tree = {'params': own['params'], **own['vars']}
  if method is None:
    return networks.apply(net, tree, *inputs, train=False)
  return net.apply(tree, *inputs, train=False, method=method)


def with_judge(state) -> dict:
  """State.ema with D's variables beside them, [S, ...]."""
  player = state.players[D]
  return {**state.ema, D: {'params': player.params, 'vars': player.vars}}


def in_batches(function: Callable, *trees: Any, batch: int = BATCH) -> Any:
  """All of a function of [N, ...], in calls of one size.

  Args:
    function: of trees [B, ...] to a tree [B, ...].
    *trees: [N, ...] or None, N of 1 or more.
    batch: B.
  """
  count = len(jax.tree.leaves(trees)[0])
  rest, made = -count % batch, []
  whole = lambda x: np.concatenate([x, np.repeat(x[-1:], rest, axis=0)])
  trees = jax.tree.map(lambda x: whole(np.asarray(x)), trees)
  for start in range(0, count, batch):
    rows = jax.tree.map(lambda x, at=start: x[at : at + batch], trees)
    made.append(jax.device_get(function(*rows)))
  return jax.tree.map(lambda *x: np.concatenate(x)[:count], *made)


def latents(of: Parts, key: jax.Array, num: int) -> Any:
  """The latents [num, ...] of a draw."""
  index = np.arange(num, dtype=np.int32)
  return in_batches(lambda i: of.latents(sampling.keys_of(key, i)), index)
