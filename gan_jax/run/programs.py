"""What is compiled for a game: the functions of its structure.

Floats are no part of a structure, and the same structure has the very same
functions, so that JAX finds their programs again: the jobs of a study that
differ only in numbers compile once in a process.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax.components import options as options_lib
from gan_jax.data import batching, kinds
from gan_jax.devices import once, parallel
from gan_jax.game import beginning, forward, networks, rules
from gan_jax.game.health import probe
from gan_jax.models.layers import codes
from gan_jax.run import sampling
from gan_jax.types import Dataset, E, G

KEPT = 8  # structures whose functions stay


@dataclasses.dataclass(frozen=True)
class Structure:
  """Everything that decides a program, and nothing else."""

  key: str  # of the options
  options: dict = dataclasses.field(compare=False)  # without floats
  given: rules.Given = None
  data: tuple = ()  # that tells the data set from others
  dataset: Dataset = dataclasses.field(default=None, compare=False)  # unread
  batches: int = 1  # that a step draws
  flip: bool = False  # of the data
  resident: bool = True  # whether the data set lies on the device

  def zeros(self, size: int) -> dict:
    """A batch of one move, of so many examples, for its shapes."""
    index = jnp.zeros(size, jnp.int32)
    x = jnp.zeros((size, *self.given.shape), jnp.float32)
    made = {'x': x, 'index': index, 'step': jnp.int32(0)}
    if self.given.num_classes:
      label = self.given.labels(size)
      made['label'] = jnp.zeros(label.shape, label.dtype)
    return made


class Functions(NamedTuple):
  """The functions of a structure; numbers are the floats of its options.

  make_rules: (numbers, axis=, watch=) -> rules.Rules.
  make_step: (axis, watch=) -> step(state, batch, key, numbers).
  make_probe: axis -> look(before, after, batch, key, given), see layout.Probe.
  feed: (data, key, step, index) -> batch, see layout.Work.
  init: (key, numbers) -> State of one seed.
  sample: (numbers, averages, key, index [B], label [B], [B, C] or None) ->
    [B, ...], where averages is State.ema of one seed; a sample depends on the
    key and on its index alone.
  statistics: (numbers, averages, key, index [B], label [B] or None) -> what G's
    batch norms find in these samples, see sampling.make_statistics.
  encode: (numbers, averages, x [B, ...], label) -> codes [B, ...] by which a
    model with an encoder knows samples in model range.
  generate: (numbers, averages, z [B, ...], label) -> what G makes of latents.
  encodes: numbers -> whether there is an encoder, whose codes are latents.
  convolves: numbers -> whether a network convolves on this backend.
  """

  make_rules: Callable
  make_step: Callable
  make_probe: Callable
  feed: Callable
  init: Callable
  sample: Callable
  statistics: Callable
  encode: Callable
  generate: Callable
  encodes: Callable
  convolves: Callable


def structure_of(
  options: dict, given: rules.Given, dataset: Dataset, **fields
) -> Structure:
  """The structure of options from rules.complete.

  Args:
    options: floats may be among them; they are left out.
    given: to the networks.
    dataset: that is trained on; its examples are not kept.
    **fields: of Structure.
  """
  static, numbers = options_lib.split(options)
  names = jax.tree_util.tree_structure(numbers)
  key = f'{_plain(static)} {names}'
  data = dataset.name, dataset.kind, dataset.fingerprint
  unread = dataset._replace(read=None, read_labels=None)
  return Structure(key, static, given, data, unread, **fields)


def _plain(value):
  """Options as a text: alike where they mean the same."""
  if isinstance(value, dict):
    return {k: _plain(value[k]) for k in sorted(value)}
  if isinstance(value, tuple | list):
    return [_plain(v) for v in value]
  return repr(value)


@functools.lru_cache(KEPT)
def functions(structure: Structure) -> Functions:
  """The functions of a structure, the very same each time."""

  def make_rules(numbers, **kw):
    options = options_lib.merge(structure.options, numbers)
    return rules.make(options, structure.given, **kw)

  def make_step(axis, **kw):
    def one_step(state, batch, key, numbers):
      return make_rules(numbers, axis=axis, **kw).step(state, batch, key)

    return one_step

  def make_probe(axis):
    def look(before, after, batch, key, given):
      game = make_rules(given['numbers'], axis=axis).game
      return probe.make_probe(game)(before, after, batch, key, given['aside'])

    return look

  init = once.jit(functools.partial(_init, structure, make_rules))
  sample = jax.jit(functools.partial(_sample, make_rules))
  statistics = jax.jit(functools.partial(_statistics, make_rules))
  encode = jax.jit(functools.partial(_encode, make_rules))
  generate = jax.jit(functools.partial(_generate, make_rules))
  of = structure, make_rules, init
  encodes = _whatever_the_numbers(functools.partial(_encodes, *of, encode))
  convolves = _whatever_the_numbers(functools.partial(_convolves, *of))
  feed = functools.partial(_feed, structure)
  return Functions(
    make_rules,
    make_step,
    make_probe,
    feed,
    init,
    sample,
    statistics,
    encode,
    generate,
    encodes,
    convolves,
  )


def _whatever_the_numbers(function):
  """The function of numbers, asked once: the answer depends on none."""
  known = []

  def answer(numbers):
    if not known:
      known.append(function(numbers))
    return known[0]

  return answer


def _init(structure, make_rules, key, numbers):
  game, batch = make_rules(numbers).game, structure.zeros(1)
  return beginning.init(game, key, batch)


def _sample(make_rules, numbers, averages, key, index, label=None):
  game = make_rules(numbers).game
  sample = sampling.make_sampler(game.nets[G], prior=game.prior)
  return sample(averages[G], key, index, label)


def _statistics(make_rules, numbers, averages, key, index, label=None):
  game = make_rules(numbers).game
  statistics = sampling.make_statistics(game.nets[G], prior=game.prior)
  return statistics(averages[G], key, index, label)


def _encode(make_rules, numbers, averages, x, label=None):
  out = _averaged(make_rules(numbers).game, E, averages, x, label)
  return codes.mean_of(out).astype(jnp.float32)


def _generate(make_rules, numbers, averages, z, label=None):
  made = _averaged(make_rules(numbers).game, G, averages, z, label)
  return made.astype(jnp.float32)


def _averaged(game, player, averages, *inputs):
  """A player's output in evaluation mode, by its moving average."""
  own = averages[player]
  tree = {'params': own['params'], **own['vars']}
  return networks.apply(game.nets[player], tree, *inputs, train=False)


def _encodes(structure, make_rules, init, encode, numbers):
  game = make_rules(numbers).game
  if E not in game.nets:
    return False
  key = jax.eval_shape(lambda: jax.random.key(0))
  state = jax.eval_shape(init, key, numbers)
  one = jax.eval_shape(lambda: structure.zeros(1))
  try:
    code = jax.eval_shape(
      encode, numbers, state.ema, one['x'], one.get('label')
    )
  except Exception:  # it takes something else, or gives it
    return False
  latent = jax.eval_shape(game.prior, key)
  return code.shape == (1, *getattr(latent, 'shape', (None,)))


def _feed(structure, data, key, step, index):
  wanted = ('x', 'label') if structure.given.num_classes else ('x',)
  data = {name: data[name] for name in wanted}
  if not structure.resident:
    x = kinds.in_model_range(structure.dataset, data['x'])
    return {**data, 'x': x}
  return batching.draw(
    structure.dataset,
    data,
    key,
    step,
    index,
    batches=structure.batches,
    batch_size=structure.given.batch_size,
    flip=structure.flip,
  )


def _convolves(structure, make_rules, init, numbers):
  """Of a forward pass as it is lowered for this backend.

  Of the whole batch: how a layer convolves may depend on its size.
  """
  batch = jax.eval_shape(lambda: structure.zeros(structure.given.batch_size))
  key = jax.eval_shape(lambda: jax.random.key(0))
  state = jax.eval_shape(init, key, numbers)

  def judged(state, batch, key, numbers):
    seen, _ = forward.forward(make_rules(numbers).game, state, batch, key)
    return seen.on_real, seen.on_fake

  return parallel.has_convolution(judged, state, batch, key, numbers)
