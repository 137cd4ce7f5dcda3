"""A config, resolved: every name has become what it names."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.components import options as options_lib
from gan_jax.data import batching, loading
from gan_jax.devices import parallel
from gan_jax.devices.layout import Probe, Work
from gan_jax.game import ema, networks
from gan_jax.game import keys as keys_lib
from gan_jax.game import rules as rules_lib
from gan_jax.game.health import probe
from gan_jax.game.step import metric_names
from gan_jax.run import compatibility, labels, programs, rehearsal
from gan_jax.run import examples as examples_lib
from gan_jax.run.config import keys as config_keys
from gan_jax.run.config import validation
from gan_jax.types import Dataset, State, UserError

# Of batches that are read from disk: so many bytes are given to the device at a
# time, and so many steps at most.
AT_ONCE_BYTES, MOST_AT_ONCE = 2**25, 64


class Setup(NamedTuple):
  """Everything that training, sampling and scoring need, as plain values."""

  dataset: Dataset
  split: str  # of the data set, that is trained on
  open_split: Callable | None  # 'test' -> Dataset; None without splits
  held_out: Callable  # () -> {'x': [H, ...], ...}, see held_out.samples
  structure: programs.Structure
  functions: programs.Functions
  numbers: dict  # the floats of the game's options
  frozen: dict  # arrays that nobody trains, by component
  names: tuple[str, ...]  # of the metrics of a step
  averaged: bool  # whether State.ema differs from the networks
  keys: jax.Array  # root keys [S]
  health_every: int  # steps; 0: never
  clashes: tuple[compatibility.Clash, ...] = ()  # what may break its training
  init_from: str = ''  # another run, whose weights it begins with
  adopt: Callable | None = None  # State at step 0 -> State with these

  @property
  def num_classes(self) -> int:
    """That the networks know; 0 if unconditional, or told of vectors."""
    given = self.structure.given
    return 0 if given.vectors else given.num_classes

  @property
  def attributes(self) -> tuple[str, ...]:
    """Of the vectors that the networks are told of; () if there are none."""
    return self.dataset.attributes if self.structure.given.vectors else ()

  @property
  def conditional(self) -> bool:
    """Whether the networks are told of labels: of classes, or vectors."""
    return self.structure.given.num_classes > 0

  @property
  def batch_size(self) -> int:
    """Of the global batch."""
    return self.structure.given.batch_size

  def of_split(self, split: str) -> Dataset:
    """A split of the data set; the one that is trained on is not read anew."""
    return self.dataset if split == self.split else self.open_split(split)

  def init(self) -> State:
    """The state [S, ...] at step 0; each seed is as if alone."""
    one = functools.partial(self.functions.init, numbers=self.numbers)
    states = [one(self.keys[s]) for s in range(len(self.keys))]
    return _stacked(*states)

  def first(self) -> State:
    """The state [S, ...] that a run begins with."""
    return self.adopt(self.init()) if self.adopt else self.init()

  def sample(self, averages, key, index, label=None) -> jax.Array:
    """Samples [B, ...] of one seed, see programs.Functions."""
    return self.functions.sample(self.numbers, averages, key, index, label)

  def statistics(self, averages, key, index, label=None) -> dict:
    """What one seed's batch norms find in samples, see programs.Functions."""
    given = averages, key, index, label
    return self.functions.statistics(self.numbers, *given)

  @property
  def encodes(self) -> bool:
    """Whether the model has an encoder, whose codes are latents."""
    return self.functions.encodes(self.numbers)

  def encode(self, averages, x, label=None) -> jax.Array:
    """Codes [B, ...] of samples in model range, by one seed's encoder."""
    return self.functions.encode(self.numbers, averages, x, label)

  def generate(self, averages, z, label=None) -> jax.Array:
    """What one seed's G makes of latents [B, ...]."""
    return self.functions.generate(self.numbers, averages, z, label)

  def rules(self) -> rules_lib.Rules:
    """The game, by its numbers as they are."""
    return self.functions.make_rules(self.numbers)


@jax.jit  # as one program: a stack of each shape would be one of its own
def _stacked(*states):
  return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def build(
  config: dict, *, opened: Callable = examples_lib.load, here: bool = True
) -> Setup:
  """Resolves and checks a config; trains nothing and writes nothing.

  Args:
    config: all keys of run.config.keys.TABLE.
    opened: group `data` of a config -> its Examples, where these are known.
    here: whether it is to run on this machine, which then has to hold it.

  Raises:
    UserError: whatever is wrong with it, in one line.
  """
  config_keys.check_keys(config)
  validation.check_values(config)
  options = rules_lib.complete(config)
  validation.check_optimizers(options['optim'])
  examples = opened(config['data'])
  dataset = examples.dataset
  given = _given(config, dataset)
  labels.check_vectors(
    config['eval_labels'], 'eval_labels', vectors=given.vectors
  )
  structure = programs.structure_of(
    options,
    given,
    dataset,
    batches=config['d_steps'] + bool(config['fresh_real']),
    flip=examples.flip,
    resident=examples.resident,
  )
  checked = rules_lib.make(options, given)
  loss = options_lib.call('loss', select.loss, options['loss'])
  functions = programs.functions(structure)
  _, numbers = options_lib.split(options)
  state = _check_networks(structure, dataset, numbers)
  if here:
    validation.check_memory(config, state, dataset.shape)
  return Setup(
    dataset=dataset,
    split=config['data'].get('split') or 'train',
    open_split=examples.open_split,
    held_out=examples.held_out,
    structure=structure,
    functions=functions,
    numbers=numbers,
    frozen=rules_lib.frozen(options),
    names=metric_names(checked.game.terms),
    averaged=ema.is_average(options['ema']),
    keys=keys_lib.seed_keys(config['seed'], config['num_seeds']),
    health_every=config['health_every'],
    clashes=compatibility.clashes(
      compatibility.Seen(config, given, checked, loss, state)
    ),
  )


def _given(config, dataset):
  """What the networks are told."""
  return rules_lib.Given(
    tuple(dataset.shape),
    _num_classes(dataset) if config['conditional'] else 0,
    validation.DTYPES[config['dtype']],
    config['batch_size'],
    vectors=bool(config['conditional'] and dataset.attributes),
  )


def _check_networks(structure, dataset, numbers):
  """The networks suit the data and each other. Returns the state's shapes."""
  functions, trace = programs.functions(structure), options_lib.trace
  key = jax.eval_shape(lambda: jax.random.key(0))
  with rehearsal.blamed(structure.options):
    state = jax.eval_shape(functions.init, key, numbers)
  one = jax.eval_shape(lambda: structure.zeros(1))
  of = numbers, state.ema, key, one['index'], one.get('label')
  made = trace('model', functions.sample, *of)
  networks.check(made, dataset)
  rehearsal.check(structure, functions, state, numbers)
  return state


def _num_classes(dataset):
  """How many classes there are, or numbers in a vector."""
  if not (dataset.class_names or dataset.attributes):
    raise UserError(f'conditional=True, but {dataset.name} has no labels.')
  return len(dataset.class_names or dataset.attributes)


def make_program(
  setup: Setup, *, wrapper: str = '', **kwargs
) -> parallel.Program:
  """The program that trains this setup's networks; see parallel.make_program.

  Args:
    setup: from build.
    wrapper: 'jit', 'pmap', 'shard_map', or '' for the default.
    **kwargs: devices, layout: in place of the defaults.
  """
  functions = setup.functions
  if 'layout' not in kwargs:
    kwargs['layout'] = parallel.choose_layout(
      convolutions=functions.convolves(setup.numbers)
    )
  devices = kwargs.get('devices') or jax.devices()
  return parallel.make_program(
    work_of(setup),
    keys=setup.keys,
    batch_size=setup.batch_size,
    wrapper=wrapper or parallel.default_wrapper(len(devices)),
    streamed=_steps_at_once(setup, kwargs['layout']),
    **kwargs,
  )


def _steps_at_once(setup, layout):
  """Whose batches are given to the program together; 0 of data in memory."""
  if setup.structure.resident:
    return 0
  if not parallel.many_steps(layout):
    return 1
  examples = len(setup.keys) * setup.structure.batches * setup.batch_size
  size = examples * setup.dataset.nbytes // max(setup.dataset.size, 1)
  return min(max(AT_ONCE_BYTES // max(size, 1), 1), MOST_AT_ONCE)


def work_of(setup: Setup) -> Work:
  """The work of a program that trains this setup's networks."""
  functions = setup.functions
  return Work(
    functions.make_step,
    functions.feed,
    setup.names,
    setup.numbers,
    setup.frozen,
    _probe(setup),
  )


def _probe(setup):
  """What looks at this setup's steps; labels go only to nets that know them."""
  if not setup.health_every:
    return Probe(0, None, {}, ())
  wanted = ('x', 'label') if setup.conditional else ('x',)
  aside = {k: v for k, v in setup.held_out().items() if k in wanted}
  # A test split may have no labels where there are some to train on.
  aside = aside if len(aside) == len(wanted) else {}
  names = probe.metric_names(held_out=bool(aside))
  return Probe(setup.health_every, setup.functions.make_probe, aside, names)


def make_data(
  setup: Setup, program: parallel.Program, *, step: int
) -> Callable:
  """Returns data(step) for each step from `step` on: what the program eats."""
  if setup.structure.resident:
    placed = program.place(loading.whole(setup.dataset))
    return lambda at: placed
  blocks = batching.stream(
    setup.dataset,
    setup.keys[program.part.seeds],
    jnp.arange(setup.batch_size)[program.part.rows],
    step=step,
    batches=setup.structure.batches,
    batch_size=setup.batch_size,
    flip=setup.structure.flip,
    block=program.max_steps,
  )
  number, held = step // program.max_steps - 1, None

  def data(at):
    nonlocal number, held
    while number < at // program.max_steps:
      number, held = number + 1, next(blocks)
    return held

  return data


def shapes_of_one(setup: Setup) -> State:
  """The state of one seed, as shapes."""
  one = lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype)
  return jax.tree.map(one, jax.eval_shape(setup.init))
