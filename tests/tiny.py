"""The smallest game with everything in it, for tests of step and parallel."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax import select
from gan_jax.devices.layout import Probe
from gan_jax.game import ema, keys, latents, step
from gan_jax.game.health import probe
from gan_jax.types import Pair

BATCH, DIM, SIZE = 16, 3, 40


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


def game(
  *,
  loss='cross_entropy',
  penalties=None,
  optimizer=None,
  d=Discriminator,
  d_steps=1,
  update='alternating',
):
  """Returns (init, make_step) of one seed."""
  net = Pair(Generator(), d())
  penalties = _rules(penalties)
  tx = Pair(*[optimizer or optax.sgd(0.1)] * 2)
  prior = latents.make_prior(dim=DIM)
  decay = ema.make_decay(halflife_kimg=1.0, batch_size=BATCH)
  loss = select.loss(loss)

  def make_step(axis):
    moves = step.make_updates(
      net, loss, penalties, tx, prior=prior, decay=decay, axis=axis
    )
    if update == 'simultaneous':
      return step.simultaneous(moves)
    return step.alternating(moves, d_steps=d_steps)

  return step.make_init(net, penalties, tx, prior=prior), make_step


def names(penalties=None, **_):
  """Of the metrics of a game's step."""
  return step.metric_names(_rules(penalties))


def _rules(penalties):
  options = (penalties or {}).items()
  return {name: select.penalty(name, **kw) for name, kw in options}


def look(every, *, d=Discriminator, held_out=True):
  """What looks at every so many steps of a game."""
  net, prior = Pair(Generator(), d()), latents.make_prior(dim=DIM)
  make = lambda axis: probe.make_probe(net, prior=prior, axis=axis)
  found = probe.metric_names(held_out=held_out)
  return Probe(every, make, HELD_OUT if held_out else {}, found)


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
