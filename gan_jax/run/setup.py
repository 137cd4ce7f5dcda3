"""A config, resolved: every name has become what it names."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gan_jax import select
from gan_jax.data import held_out as held_out_lib
from gan_jax.data import kinds, loading
from gan_jax.devices import parallel
from gan_jax.devices.layout import Probe
from gan_jax.game import ema, latents, optim
from gan_jax.game import keys as game_keys
from gan_jax.game import step as step_lib
from gan_jax.game.health import probe
from gan_jax.run.config import keys as keys_lib
from gan_jax.run.config import validation
from gan_jax.run.sampling import make_sampler
from gan_jax.types import Dataset, Pair, State, UserError

MEMORY_MB = 1024  # a larger data set streams, unless data.memory_mb says so


class Setup(NamedTuple):
  """Everything that training, sampling and scoring need, as plain values."""

  dataset: Dataset
  split: str  # of the data set, that is trained on
  open_split: Callable | None  # 'test' -> Dataset; None without splits
  keys: jax.Array  # root keys [S]
  net: Pair
  num_classes: int  # that the networks know; 0 if unconditional
  batch_size: int  # global
  num_batches: int  # that a step draws
  flip: bool
  resident: bool  # whether the data set lies on the device
  init: Callable  # () -> State [S, ...] at step 0
  names: tuple[str, ...]  # of the metrics of a step
  make_step: Callable  # axis, watch -> step; watch: a look at the optimizers
  health_every: int  # steps; 0: never
  make_probe: Callable  # axis -> probe, see probe.make_probe
  held_out: Callable  # () -> {'x': [H, ...], ...}, see held_out.samples
  sample: Callable  # see sampling.make_sampler
  averaged: bool  # whether State.ema differs from G


def build(config: dict) -> Setup:
  """Resolves and checks a config; trains nothing and writes nothing.

  Raises:
    UserError: whatever is wrong with it, in one line.
  """
  keys_lib.check_keys(config, keys_lib.KEYS)
  validation.check_values(config)
  validation.check_groups(config)
  call = select.call
  loss = call('loss', select.loss, config['loss'])
  penalties = {
    name: call(f'penalties.{name}', select.penalty, options, name=name)
    for name, options in config['penalties'].items()
  }
  tx = Pair(
    *(
      call(f'optim.{p}', optim.make_optimizer, options, flag=f'optim.{p}')
      for p, options in zip('gd', map(config['optim'].get, 'gd'), strict=True)
    )
  )
  prior = call('latent', latents.make_prior, config['latent'])
  batch_size = config['batch_size']
  decay = call('ema', ema.make_decay, config['ema'], batch_size=batch_size)
  select.module('models', config['model'].get('name', ''), flag='model.name')

  dataset, unseen, flip, resident = _data(config['data'])
  num_classes = _num_classes(dataset) if config['conditional'] else 0
  net = select.call(
    'model',
    select.model,
    config['model'],
    shape=dataset.shape,
    num_classes=num_classes,
    dtype=validation.DTYPES[config['dtype']],
  )
  init = step_lib.make_init(net, penalties, tx, prior=prior)
  label = jnp.zeros(1, jnp.int32) if num_classes else None
  sample = make_sampler(net.g, prior=prior)
  state = _check_networks(init, sample, label, dataset, penalties)
  validation.check_memory(config, state, dataset.shape)

  def make_step(axis, watch=lambda tx: tx):
    moved = Pair(*map(watch, tx))
    update = step_lib.make_updates(
      net, loss, penalties, moved, prior=prior, decay=decay, axis=axis
    )
    if config['dynamics'] == 'simultaneous':
      return step_lib.simultaneous(update)
    return step_lib.alternating(update, d_steps=config['d_steps'])

  roots = game_keys.seed_keys(config['seed'], config['num_seeds'])
  return Setup(
    dataset,
    config['data'].get('split') or 'train',
    _opener(config['data']),
    roots,
    net,
    num_classes,
    batch_size,
    config['d_steps'] + bool(config['fresh_real']),
    flip,
    resident,
    functools.partial(_init_all, init, roots, label),
    step_lib.metric_names(penalties),
    make_step,
    config['health_every'],
    lambda axis: probe.make_probe(net, prior=prior, axis=axis),
    lambda: held_out_lib.samples(unseen or _beside(config['data'])),
    sample,
    config['ema'].get('halflife_kimg', 0) > 0,
  )


def _data(options):
  """(what is trained on, held out or None, to flip?, on the device?)."""
  options = {'memory_mb': MEMORY_MB, 'name': '', **options}
  flip, share = options.pop('flip', False), options.pop('held_out', 0)
  memory_mb = options['memory_mb']
  if not isinstance(memory_mb, int | float) or isinstance(memory_mb, bool):
    raise UserError(f'data.memory_mb={memory_mb!r}: expected a number.')
  load = functools.partial(loading.load, options.pop('name'))
  whole = select.call('data', load, options)
  dataset, unseen = held_out_lib.part(whole, share)
  loading.check_flip(dataset, flip=flip)
  return dataset, unseen, flip, dataset.nbytes <= memory_mb * 2**20


def _opener(options):
  """What opens another split of the data set, if it has splits."""
  if 'split' not in loading.options_of(options.get('name', '')):
    return None
  return lambda split: _data({**options, 'split': split, 'held_out': 0})[0]


def _beside(options):
  """What is held out where the options ask for no share."""
  own = ('name', 'flip', 'held_out')
  return held_out_lib.beside(
    options.get('name', ''), {k: v for k, v in options.items() if k not in own}
  )


def _init_all(init, roots, label):
  """One compiled init for one seed after the other: each is as if alone."""
  one = jax.jit(init)
  states = [one(roots[s], label) for s in range(len(roots))]
  return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def _num_classes(dataset):
  if not dataset.class_names:
    raise UserError(f'conditional=True, but {dataset.name} has no labels.')
  return len(dataset.class_names)


def _check_networks(init, sample, label, dataset, penalties):
  """G makes the data's shape; D suits the penalties. Returns state's shapes."""
  key = jax.eval_shape(lambda: jax.random.key(0))
  state = select.trace('model', init, key, label)
  index = jnp.zeros(1, jnp.int32)
  made = jax.eval_shape(sample, state.ema, key, index, label).shape[1:]
  if made != tuple(dataset.shape):
    raise UserError(
      f'model.name: G makes {made}, but {dataset.name} is {dataset.shape}.'
    )
  for name, penalty in penalties.items():
    if penalty.per_example and 'batch_stats' in state.d.vars:
      raise UserError(
        f'penalties.{name} is a gradient for each example, but with batch norm'
        " in D a logit depends on the whole batch; set model.d.norm to 'none'"
        " or 'spectral'."
      )
  return state


def make_feed(setup: Setup) -> Callable:
  """Returns feed(data, key, step, index) -> {'x': [n, b, ...], ...}.

  `data` is the whole data set where it lies on the device, else the step's
  batches. Labels go only to networks that know classes.
  """
  wanted = ('x', 'label') if setup.num_classes else ('x',)

  def feed(data, key, step, index):
    data = {name: data[name] for name in wanted}
    if not setup.resident:
      return {**data, 'x': kinds.in_model_range(setup.dataset, data['x'])}
    return loading.draw(
      setup.dataset,
      data,
      key,
      step,
      index,
      batches=setup.num_batches,
      batch_size=setup.batch_size,
      flip=setup.flip,
    )

  return feed


def make_program(
  setup: Setup, *, wrapper: str = '', **kwargs
) -> parallel.Program:
  """The program that trains this setup's networks; see parallel.make_program.

  Args:
    setup: from build.
    wrapper: 'jit', 'pmap', 'shard_map', or '' for the default.
    **kwargs: devices, layout: in place of the defaults.
  """
  if 'layout' not in kwargs:
    kwargs['layout'] = parallel.choose_layout(convolutions=_convolves(setup))
  devices = kwargs.get('devices') or jax.devices()
  return parallel.make_program(
    setup.make_step,
    make_feed(setup),
    keys=setup.keys,
    batch_size=setup.batch_size,
    names=setup.names,
    wrapper=wrapper or parallel.default_wrapper(len(devices)),
    streamed=not setup.resident,
    probe=_probe(setup),
    **kwargs,
  )


def _probe(setup):
  """What looks at this setup's steps; labels go only to nets that know them."""
  if not setup.health_every:
    return None
  wanted = ('x', 'label') if setup.num_classes else ('x',)
  aside = {k: v for k, v in setup.held_out().items() if k in wanted}
  # A test split may have no labels where there are some to train on.
  aside = aside if len(aside) == len(wanted) else {}
  names = probe.metric_names(held_out=bool(aside))
  return Probe(setup.health_every, setup.make_probe, aside, names)


def make_data(
  setup: Setup, program: parallel.Program, *, step: int
) -> Callable:
  """Returns data(step) for each step from `step` on: what the program eats."""
  if setup.resident:
    placed = program.place(loading.arrays(setup.dataset))
    return lambda at: placed
  batches = loading.stream(
    setup.dataset,
    setup.keys[program.part.seeds],
    jnp.arange(setup.batch_size)[program.part.rows],
    step=step,
    batches=setup.num_batches,
    batch_size=setup.batch_size,
    flip=setup.flip,
  )
  return lambda at: next(batches)


def shapes_of_one(setup: Setup) -> State:
  """The state of one seed, as shapes."""
  one = lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype)
  return jax.tree.map(one, jax.eval_shape(setup.init))


def _convolves(setup):
  """Whether a network convolves on this backend, by its forward pass."""
  state = shapes_of_one(setup)
  key = jax.eval_shape(lambda: jax.random.key(0))
  # The whole batch: how a layer convolves may depend on its size.
  index = jax.ShapeDtypeStruct((setup.batch_size,), jnp.int32)
  label = index if setup.num_classes else None
  if parallel.has_convolution(setup.sample, state.ema, key, index, label):
    return True
  sample = jax.ShapeDtypeStruct(
    (setup.batch_size, *setup.dataset.shape), jnp.float32
  )
  judge = lambda d, x, y: setup.net.d.apply(
    {'params': d.params, **d.vars}, x, y, train=False
  )
  return parallel.has_convolution(judge, state.d, sample, label)
