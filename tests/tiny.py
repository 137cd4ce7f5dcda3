"""The smallest game with everything in it, for tests of step and parallel."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax import select
from gan_jax.devices.layout import Probe, Work
from gan_jax.game import beginning, ema, forward, keys, latents, step
from gan_jax.game import rules as rules_lib
from gan_jax.game.health import probe
from gan_jax.types import Model, Penalty

BATCH, DIM, SIZE = 16, 3, 40
# Those that ask nothing of a model but its logits.
PENALTIES = tuple(
  name
  for name in select.available('penalties')
  if {'penalty', 'project'}
  & set(vars(select.module('penalties', name, flag='')))
)


class Generator(nn.Module):
  """Dense, batch norm, dense."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, z, label=None, *, train):
    x = nn.Dense(5)(z)
    x = nn.BatchNorm(
      use_running_average=not train, axis_name=self.axis_name, momentum=0.9
    )(x)
    return nn.Dense(2)(nn.tanh(x))


class Discriminator(nn.Module):
  """Two dense layers, no norm."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    return nn.Dense(1)(nn.tanh(nn.Dense(6)(x)))[:, 0]


class ConvDiscriminator(nn.Module):
  """A convolution, so that the layouts of steps and seeds differ on CPU."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    x = nn.Conv(4, (2,))(x[:, :, None])  # [B, 2, 4]
    return nn.Dense(1)(nn.tanh(x).reshape(len(x), -1))[:, 0]


DATA = {'x': np.random.default_rng(0).normal(size=(SIZE, 2)).astype(np.float32)}


HELD_OUT = {'x': DATA['x'][::-1][:7] + np.float32(0.25)}


def rules(
  *,
  g=Generator,
  d=Discriminator,
  others=(),
  loss='cross_entropy',
  penalties=None,
  optimizer=None,
  axis=None,
  **fields,
):
  """The Game of these parts.

  Args:
    g: class of G, likewise d.
    d: of D.
    others: pairs (player, module).
    loss: name.
    penalties: {name: options}, or Penalty by name.
    optimizer: of all players.
    axis: of the mesh.
    **fields: of Game.
  """
  nets = {'g': g(), 'd': d(), **dict(others)}
  rules = _rules(penalties)
  mean, gather = forward.make_means(axis)
  loss, decay = select.loss(loss), _decay()
  return forward.Game(
    **{
      'nets': {k: net.clone(axis_name=axis) for k, net in nets.items()},
      'terms': rules_lib.terms_of(loss, rules, gather=gather, axis=axis),
      'tx': dict.fromkeys(nets, optimizer or optax.sgd(0.1)),
      'prior': latents.make_prior(dim=DIM),
      'decay': {k: decay for k in nets if k != 'd'},
      'play': forward.play,
      'project': rules_lib.projections_of(rules, Model(nets, None, None)),
      'mean': mean,
      'gather': gather,
      **fields,
    }
  )


def _decay():
  return ema.make_decay(halflife_kimg=1.0, batch_size=BATCH)


def once(make):
  """Keeps what is made, by the arguments; nobody may change it.

  Of the very same functions, JAX compiles one program.
  """
  kept = {}

  @functools.wraps(make)
  def made(*args, **kw):
    key = _hashable((args, kw))
    if key not in kept:
      kept[key] = make(*args, **kw)
    return kept[key]

  return made


def _hashable(value):
  if isinstance(value, dict):
    return tuple((k, _hashable(value[k])) for k in sorted(value))
  if isinstance(value, tuple | list):
    return (type(value), *map(_hashable, value))
  return value


@once
def game(*, d_steps=1, update='alternating', own=None, **kw):
  """Returns (init, make_step) of one seed; own: options of its dynamics."""
  options = {'d_steps': d_steps} if update == 'alternating' else own or {}
  make = select.dynamics(update, **options)
  kw['remember'] = make.init

  @functools.cache
  def make_step(axis, unroll=False):
    move = make(rules(axis=axis, **kw)._replace(unroll=unroll))
    return lambda state, batch, key, numbers=None: move(state, batch, key)

  @jax.jit
  def init(key, label=None):
    batch = {'x': jnp.zeros((1, 2)), 'index': jnp.zeros(1, int), 'step': 0}
    batch |= {} if label is None else {'label': label}
    return beginning.init(rules(**kw), key, batch)

  return init, make_step


def names(penalties=None, loss='cross_entropy', **_):
  """Of the metrics of a game's step."""
  terms = rules_lib.terms_of(select.loss(loss), _rules(penalties))
  return step.metric_names(terms)


def _rules(penalties):
  return {
    name: own if isinstance(own, Penalty) else select.penalty(name, **own)
    for name, own in (penalties or {}).items()
  }


def look(every, *, d=Discriminator, held_out=True):
  """What looks at every so many steps of a game."""
  found = probe.metric_names(held_out=held_out)
  return Probe(every, _eyes(d=d), HELD_OUT if held_out else {}, found)


@once
def _eyes(*, d):
  def make(axis):
    seen = probe.make_probe(rules(d=d, axis=axis))
    return lambda *args: seen(*args[:-1], args[-1]['aside'])

  return make


def work(make_step, *, feed=None, probe=None, **kw):
  """What a program of such a game does."""
  own = {} if probe is None else {'probe': probe}
  return Work(make_step, feed or globals()['feed'], names(**kw), **own)


def feed(data, key, at, index, *, batches=1):
  """A data order that is only a function of (key, step, example)."""
  del key
  rows = at * batches + jnp.arange(batches)[:, None] * BATCH + index[None]
  return {'x': data['x'][(7 * rows) % SIZE]}  # [batches, b, 2]


def states(init, num_seeds):
  """Root keys [S] and states [S, ...]."""
  roots = keys.seed_keys(0, num_seeds)
  return roots, jax.vmap(init)(roots)


def distance(a, b):
  """Largest absolute difference of two trees."""
  gaps = jax.tree.map(
    lambda x, y: float(
      np.max(np.abs(np.asarray(x) - np.asarray(y)), initial=0)
    ),
    a,
    b,
  )
  return max(jax.tree.leaves(gaps))
