"""Games whose dynamics are known in closed form, as the product has them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.components import options
from gan_jax.game import beginning, rules
from gan_jax.run import command

BATCH, KEY = 2, jax.random.key(0)


class Toy:
  """A game of one of the shipped toys, by the flags of a config.

  Its numbers are arguments, so that one program serves many rates.
  """

  def __init__(self, model, *, dim=1, batch=BATCH, **changes):
    config = command.load_config(f'{model}:tiny', changes)
    self.given = rules.Given((dim,), 0, jnp.float32, batch)
    self.structure, self.numbers = options.split(rules.complete(config))
    self.batch = {
      'x': jnp.zeros((1, batch, dim)),
      'index': jnp.arange(batch),
    }
    self.made()  # checks the options

  def made(self, numbers=None):
    """The rules by these numbers."""
    numbers = self.numbers if numbers is None else numbers
    return rules.make(options.merge(self.structure, numbers), self.given)

  def at(self, rate):
    """Its numbers, with another learning rate of both players."""
    new = {k: {**v, 'learning_rate': rate} for k, v in self.optim().items()}
    return {**self.numbers, 'optim': new}

  def optim(self):
    return self.numbers['optim']

  def start(self, numbers=None, scale=1.0):
    """The state at step 0, its parameters scaled."""
    one = {**self.batch, 'x': self.batch['x'][0, :1], 'step': jnp.int32(0)}
    state = beginning.init(self.made(numbers).game, KEY, one)
    players = {
      k: p._replace(params=jax.tree.map(lambda x: scale * x, p.params))
      for k, p in state.players.items()
    }
    return state._replace(players=players)

  def step(self, numbers, state):
    batch = {**self.batch, 'step': state.step}
    return self.made(numbers).step(state, batch, KEY)[0]


def floats(state):
  """(the floats of parameters, optimizers and memories [N], their inverse)."""
  part = {k: (p.params, p.opt) for k, p in state.players.items()}, state.memo
  leaves, tree = jax.tree.flatten(part)
  own = [i for i, x in enumerate(leaves) if jnp.issubdtype(x.dtype, np.inexact)]
  flat = jnp.concatenate([leaves[i].reshape(-1) for i in own])

  def back(flat):
    new, at = list(leaves), 0
    for i in own:
      size = leaves[i].size
      new[i] = flat[at : at + size].reshape(leaves[i].shape)
      at += size
    players, memo = jax.tree.unflatten(tree, new)
    moved = {
      k: p._replace(params=players[k][0], opt=players[k][1])
      for k, p in state.players.items()
    }
    return state._replace(players=moved, memo=memo)

  return flat, back


def eigenvalues(toy, rates, *, steps=1, scale=0.0):
  """Of the Jacobian of so many steps at the equilibrium, [rates, N]."""

  def of(rate):
    numbers = toy.at(rate)
    # Past the first step, which may be of another form.
    state = toy.start(numbers, scale)._replace(step=jnp.int32(steps))
    flat, back = floats(state)

    def moved(flat):
      step = lambda _, state: toy.step(numbers, state)
      return floats(jax.lax.fori_loop(0, steps, step, back(flat)))[0]

    return jax.jacfwd(moved)(flat)

  matrices = jax.jit(jax.vmap(of))(jnp.float32(rates))
  return np.linalg.eigvals(np.asarray(matrices, np.float64))


def radii(*args, **kw):
  """Spectral radii [rates]."""
  return np.abs(eigenvalues(*args, **kw)).max(1)


def norms(toy, rates, *, steps=2000, scale=1.0):
  """Lengths of all parameters before and after so many steps, [2, rates]."""
  length = lambda s: jnp.sqrt(
    sum(
      jnp.square(x).sum()
      for p in s.players.values()
      for x in jax.tree.leaves(p.params)
    )
  )

  def of(rate):
    numbers = toy.at(rate)
    first = toy.start(numbers, scale)
    step = functools.partial(toy.step, numbers)
    last = jax.lax.fori_loop(0, steps, lambda _, s: step(s), first)
    return length(first), length(last)

  return np.array(jax.jit(jax.vmap(of))(jnp.float32(rates)), np.float64)
