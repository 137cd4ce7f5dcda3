"""What is hidden from the checkpoints is found by its effect.

What is held outside of the state, in an attribute, a closure or an iterator: a
run in two parts ends elsewhere than the whole one.
"""

import itertools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import select
from gan_jax.game import optim, step
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import Penalty
from tests import tiny
from tests.game.test_state import differing, names

ADAM = optim.make_optimizer('adam', learning_rate=0.01)


class Parts(NamedTuple):
  """What a game is made of; a test puts its own in some places."""

  g: nn.Module = tiny.Generator()
  d: nn.Module = tiny.Discriminator()
  penalties: dict = {}
  tx: optax.GradientTransformation = ADAM
  feed: object = None  # step -> batch
  around: object = None  # the jitted step -> a step


@tiny.once
def compiled(g, d, penalties, tx):
  """(init, step) of the same parts; of what is made anew, made anew."""
  init, make_step = tiny.game(
    g=lambda: g, d=lambda: d, loss='hinge', penalties=penalties, optimizer=tx
  )
  return lambda: init(jax.random.key(0)), jax.jit(make_step(None))


def make_game(parts):
  """(init, play) of a build: play(state, step) -> state."""
  init, move = compiled(parts.g, parts.d, parts.penalties, parts.tx)
  move = parts.around(move) if parts.around else move
  feed = parts.feed or batch_of

  def play(state, k):
    batch = {**feed(k), 'index': np.arange(tiny.BATCH), 'step': np.int32(k)}
    return move(state, batch, jax.random.key(1))[0]

  return init, play


def batch_of(k):
  """As tiny.feed, a function of the step alone."""
  rows = (7 * (k * tiny.BATCH + np.arange(tiny.BATCH))) % tiny.SIZE
  return {'x': tiny.DATA['x'][rows][None]}


def in_two_parts(make, folder):
  """Names of all leaves, and of those that end elsewhere in two parts.

  Args:
    make: () -> Parts, made anew for each part, as by another process.
    folder: for the checkpoint between them.
  """
  init, play = make_game(make())
  state = init()
  with Checkpoints(folder) as c:
    for k in range(5):
      if k == 3:
        c.save(k, state, {}, wait=True)
      state = play(state, k)
  init, play = make_game(make())
  with Checkpoints(folder) as c:
    again = c.restore(jax.eval_shape(init)).state
  for k in (3, 4):
    again = play(again, k)
  return names(state), differing(state, again)


class Remembering(nn.Module):
  """Keeps a mean of its logits, and holds them against it."""

  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    mean = self.variable('memory', 'mean', jnp.zeros, ())
    logits = nn.Dense(1)(jnp.tanh(nn.Dense(6)(x)))[:, 0] - mean.value
    if train and self.is_mutable_collection('memory'):
      mean.value = 0.9 * mean.value + 0.1 * logits.mean()
    return logits


def lecam(critic, real, fake, memo, *, key):
  """Tseng et al. 2021 (https://arxiv.org/abs/2104.03310), Equation 5."""
  del key
  logits = critic(real), critic(fake)
  value = (logits[0] - memo[1]) ** 2 + (logits[1] - memo[0]) ** 2  # [B]
  moved = [0.9 * m + 0.1 * x.mean() for m, x in zip(memo, logits, strict=True)]
  return value, tuple(map(jax.lax.stop_gradient, moved))


def penalty(function, init=tuple):
  return {'mine': Penalty(init, function, None, {}, per_example=False)}


def counting():
  """An optimizer that does less at each step."""

  def update(gradients, count, params=None):
    del params
    scaled = jax.tree.map(lambda g: -0.1 / (1 + count) * g, gradients)
    return scaled, count + 1

  return optax.GradientTransformation(lambda params: jnp.float32(0), update)


def everything():
  """All that may be kept: by all penalties, and by parts of one's own."""
  every = {n: select.penalty(n) for n in tiny.PENALTIES}
  own = penalty(lecam, lambda: (jnp.zeros(()),) * 2)
  return Parts(d=Remembering(), penalties=every | own, tx=counting())


def test_what_is_in_the_state_is_carried_on(tmp_path):
  found, wrong = in_two_parts(everything, tmp_path)
  assert set(found) >= {
    'ema/g/vars/batch_stats/BatchNorm_0/mean',
    'players/d/vars/memory/mean',
    'memo/d/mine/0',
    'memo/d/mine/1',
    'players/g/opt',
    'players/d/opt',
  }
  assert not wrong


def hidden_count():
  """Counts its calls in a closure, from within the compiled step."""
  calls = itertools.count()
  return lambda: jax.experimental.io_callback(
    lambda: np.float32(next(calls)), jax.ShapeDtypeStruct((), np.float32)
  )


def hidden_in_a_penalty():
  count = hidden_count()

  def weighted(critic, real, fake, memo, *, key):
    del fake, key
    return (1 + count()) * critic(real) ** 2, memo

  return Parts(penalties=penalty(weighted))


def hidden_in_an_optimizer():
  count = hidden_count()

  def update(gradients, state, params=None):
    del params
    scale = -0.1 / (1 + count())
    return jax.tree.map(lambda g: scale * g, gradients), state

  return Parts(tx=optax.GradientTransformation(lambda params: (), update))


def hidden_in_an_iterator():
  steps = itertools.count()
  return Parts(feed=lambda k: batch_of(next(steps)))


def hidden_in_a_generator_of_numbers():
  rng = np.random.default_rng(0)
  shape = (1, tiny.BATCH, 2)
  return Parts(feed=lambda k: {'x': rng.normal(size=shape).astype(np.float32)})


def hidden_in_an_attribute():
  class Step:
    """Shrinks D every second time."""

    def __init__(self, move):
      self.move, self.calls = move, 0

    def __call__(self, state, batch, key):
      self.calls += 1
      state, metrics = self.move(state, batch, key)
      if self.calls % 2 == 0:
        weights = step.params_of(state, ['d'])
        smaller = jax.tree.map(lambda w: 0.9 * w, weights)
        state = step.with_params(state, smaller)
      return state, metrics

  return Parts(around=Step)


class Counting(nn.Module):
  """Adds to its logits how often it was called."""

  calls: object
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, label=None, *, train):
    return nn.Dense(1)(x)[:, 0] * (1 + jax.lax.stop_gradient(self.calls()))


HIDDEN = {
  'a_closure_of_a_penalty': hidden_in_a_penalty,
  'a_closure_of_an_optimizer': hidden_in_an_optimizer,
  'an_iterator_of_data': hidden_in_an_iterator,
  'a_generator_of_numbers': hidden_in_a_generator_of_numbers,
  'an_attribute_of_a_step': hidden_in_an_attribute,
  'a_field_of_a_module': lambda: Parts(d=Counting(hidden_count())),
}

LONG = (  # to compile
  'a_closure_of_a_penalty', 'a_closure_of_an_optimizer', 'a_field_of_a_module',
  'an_iterator_of_data',
)  # fmt: skip


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] if name in LONG else [])
    for name in HIDDEN
  ],
)
def test_what_is_hidden_in_python_is_noticed(name, tmp_path):
  _, wrong = in_two_parts(HIDDEN[name], tmp_path)
  assert any(leaf.startswith('players/d/params/') for leaf in wrong)
