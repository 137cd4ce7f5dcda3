"""A run that is open: its networks, and what it takes from Python."""

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from gan_jax.components import options
from gan_jax.data import kinds
from gan_jax.run import draws, given_arrays, vectors
from gan_jax.run.workdir import averages, contents
from gan_jax.storage import paths
from gan_jax.types import UserError

# A label: a class by its name or its number, or one for each sample; of a run
# whose labels are vectors, [C] or [N, C].
Label = str | int | Sequence[str | int] | np.ndarray | None
MOST = 2**31 - 1  # samples: their index is an int32


class Opened:
  """A run's networks at one of its checkpoints; the run is only read.

  Samples are in model range: images [-1, 1], points as they are. G is its
  moving average, if the run keeps one.

  Attributes:
    config: of the run, all keys.
    scores: its score records, as scores.json holds them.
    step: of the checkpoint.
    ema_distance: how far the average's profile is from the one that was asked
      for, as a share of it; 0 for the run's own.
    seeds: of the runs that were trained together; the methods take one of them
      as `run_seed`, and by default the first.
    shape: of one sample.
    class_names: of the labels; () for a generator without classes.
    attributes: of the numbers of a label, where labels are vectors; or ().
  """

  config: dict
  scores: list[dict]
  step: int
  ema_distance: float
  seeds: tuple[int, ...]
  shape: tuple[int, ...]
  class_names: tuple[str, ...]
  attributes: tuple[str, ...]

  def __init__(
    self,
    workdir,
    *,
    checkpoint: str | int = 'latest',
    ema: float | None = None,
  ):
    """Opens a run that has been trained, or is being trained.

    Args:
      workdir: of the run.
      checkpoint: 'latest', 'best', or a step.
      ema: width of G's average in place of the run's, see workdir.averages.

    Raises:
      UserError: there is no run, or no such checkpoint or average.
    """
    workdir = paths.given(workdir)
    opened = contents.open_run(workdir, which=str(checkpoint))
    self.config, self._setup, self._state, self.step = opened
    of = workdir, self.config, self._setup, self.step, self._state
    self._state, self.ema_distance = averages.taken(*of, ema)
    self.scores = contents.read_records(paths.expand(workdir) / 'scores.json')
    first, dataset = self.config['seed'], self._setup.dataset
    self.seeds = tuple(range(first, first + self.config['num_seeds']))
    self.shape = tuple(dataset.shape)
    self.class_names = dataset.class_names if self._setup.num_classes else ()
    self.attributes = self._setup.attributes

  def __repr__(self):
    names = [self.config[group]['name'] for group in ('data', 'model')]
    return f'Trained({" ".join(names)}, step {self.step})'

  def _in_model_range(self, x):
    """Samples [N, *shape] float32 of what somebody gives."""
    dataset = self._setup.dataset
    x = given_arrays.examples('x', x, self.shape)
    x = kinds.of(dataset).to_model_range(x, dataset=dataset)
    return x.astype(jnp.float32)

  @functools.cached_property
  def _game(self):
    return self._setup.rules().game

  def _index(self, run_seed):
    """Which of the seeds trained together is meant."""
    if run_seed is None:
      return 0
    first, last = self.seeds[0], self.seeds[-1]
    wanted = options.whole_number('run_seed', run_seed, least=first, most=last)
    return wanted - first

  def _needed(self, label, n):
    """Labels [n] or [n, C]; refused where they are missing."""
    if label is None and self.attributes:
      raise UserError(f'label: expected a vector [{len(self.attributes)}].')
    if label is None and self.class_names:
      some = ', '.join(self.class_names[:5])
      raise UserError(f'label: expected one of the classes {some} ...')
    return self._labels(label, n)

  def _labels(self, label, n):
    """Labels [n] int32 or [n, C] float32; None where none are given."""
    if label is None:
      return None
    if self.attributes:
      return vectors.given(label, self.attributes, n)
    if not self.class_names:
      raise UserError(f'label={label!r}: this run knows no labels.')
    one = isinstance(label, str) or not np.iterable(label)
    each = [label] * n if one else list(label)
    if len(each) != n:
      raise UserError(f'label: expected one or {n} labels, got {len(each)}.')
    return np.array([self._class(one) for one in each], np.int32)

  def _class(self, label):
    """The number of a class."""
    if isinstance(label, str):
      return draws.class_number(self.class_names, label, 'label')
    most = len(self.class_names) - 1
    return options.whole_number('label', label, least=0, most=most)


def seed_of(seed: Any) -> int:
  """The seed of a draw.

  Raises:
    UserError: it is none.
  """
  return options.whole_number('seed', seed, least=0, most=2**32 - 1)
