"""A trained GAN as functions of arrays."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.components import options
from gan_jax.data import kinds
from gan_jax.game import forward, networks, packing
from gan_jax.run import draws, encoding, given_arrays, vectors
from gan_jax.run.samplers import ways
from gan_jax.run.sampling import take_seed
from gan_jax.run.workdir import averages, contents
from gan_jax.storage import paths
from gan_jax.types import D, G, UserError

# A label: a class by its name or its number, or one for each sample; of a run
# whose labels are vectors, [C] or [N, C].
Label = str | int | Sequence[str | int] | np.ndarray | None


MOST = 2**31 - 1  # samples: their index is an int32
_KEY = jax.eval_shape(lambda: jax.random.key(0))


class Trained:
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
    self.ema_distance = 0.0
    if ema is not None:
      of = workdir, self.config, self._setup, self.step, ema
      own, self.ema_distance = averages.of_width(*of)
      self._state = self._state._replace(ema=own)
    self.scores = contents.read_records(paths.expand(workdir) / 'scores.json')
    first, dataset = self.config['seed'], self._setup.dataset
    self.seeds = tuple(range(first, first + self.config['num_seeds']))
    self.shape = tuple(dataset.shape)
    self.class_names = dataset.class_names if self._setup.num_classes else ()
    self.attributes = self._setup.attributes

  def __repr__(self):
    names = [self.config[group]['name'] for group in ('data', 'model')]
    return f'Trained({" ".join(names)}, step {self.step})'

  def sample(
    self,
    n: int,
    *,
    seed: int = 0,
    label: Label = None,
    run_seed: int | None = None,
    **way: Any,
  ) -> np.ndarray:
    """Draws samples; the first ones do not depend on how many there are.

    Args:
      n: number of samples, at least 1.
      seed: of the draw.
      label: of all samples, or of each [n]; None draws them as in the data.
      run_seed: one of `seeds`; None for the first.
      **way: how they are drawn, the fields of run.samplers.way.Way:
        truncation=0.7, truncation_mode=, truncation_layers=; or rejection=
        'drs', 'mh', 'ddls', rejection_steps=, rejection_percentile=,
        calibrate=; code='c0=3,c1=0.5' of a latent with codes.

    Returns:
      [n, *shape], float32.

    Raises:
      UserError: a number that is too small, a label that does not exist, a way
        that is not of this run.
    """
    n = options.whole_number('n', n, least=1, most=MOST)
    return draws.draw(
      self._setup,
      self._state,
      n,
      seed=_seed(seed),
      labels=self._labels(label, n),
      run_seed=self._index(run_seed),
      way=ways.given(way, self._setup),
    )

  def generate(
    self, z: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """What G makes of latents; `latents` of a draw gives the samples of it.

    Within jax.jit or jax.grad it takes and gives traced arrays.

    Args:
      z: [N, ...], or a tree of such, as `latents` draws.
      label: of all, or of each [N]; needed by a generator with labels.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [N, *shape], float32.

    Raises:
      UserError: latents of another shape, labels that are missing or do not
        exist.
    """
    z = given_arrays.latents(z, jax.eval_shape(self._game.prior, _KEY))
    variables = take_seed(self._state.ema[G], self._index(run_seed))
    label = self._needed(label, len(jax.tree.leaves(z)[0]))
    return _given(self._apply(G, variables, z, label))

  def latents(self, n: int, *, seed: int = 0) -> np.ndarray | dict:
    """The latents [n, ...] of `sample(n, seed=seed)`, for `generate`.

    Of a model with noise they are {'z': [n, ...], 'noise': ...}.
    """
    n = options.whole_number('n', n, least=1, most=MOST)
    return jax.device_get(draws.latents(self._game.prior, n, seed=_seed(seed)))

  def discriminate(
    self, x: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """What D thinks of samples: its logits.

    Under cross-entropy a sample is real with the probability
    1 / (1 + exp(-logit)), as D believes; what a logit means under another loss,
    the loss says. Within jax.jit or jax.grad it takes and gives traced arrays.

    Args:
      x: [N, *shape] in model range, or as the data have them (images: uint8).
      label: of all, or of each [N]; needed by a discriminator with labels.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [N], float32; where D judges packs of samples, one [N / pack] for
      consecutive ones.

    Raises:
      UserError: samples of another shape, labels that are missing.
    """
    x = packing.packed(self._in_model_range(x), self._game.pack)
    player = take_seed(self._state.players[D], self._index(run_seed))
    variables = {'params': player.params, 'vars': player.vars}
    output = self._apply(D, variables, x, self._needed(label, len(x)))
    return _given(forward.heads_of(output)['logits'])

  def encode(
    self, x: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """The codes of samples, which are latents that `generate` takes.

    Of an encoder that gives a distribution, its mean. Within jax.jit or
    jax.grad it takes and gives traced arrays.

    Args:
      x: [N, *shape] in model range, or as the data have them (images: uint8).
      label: of all, or of each [N]; needed by a generator with labels.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [N, ...], float32, of the shape of `latents(N)`.

    Raises:
      UserError: a model without an encoder, samples of another shape, labels
        that are missing.
    """
    encoding.check(self._setup, 'encode')
    x = self._in_model_range(x)
    averages = take_seed(self._state.ema, self._index(run_seed))
    label = self._needed(label, len(x))
    return _given(self._setup.encode(averages, x, label))

  def reconstruct(
    self, x: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """What G makes of the codes of samples, [N, *shape]; see encode."""
    code = self.encode(x, label, run_seed=run_seed)
    return self.generate(code, label, run_seed=run_seed)

  def _in_model_range(self, x):
    """Samples [N, *shape] float32 of what somebody gives."""
    dataset = self._setup.dataset
    x = given_arrays.examples('x', x, self.shape)
    x = kinds.of(dataset).to_model_range(x, dataset=dataset)
    return x.astype(jnp.float32)

  @functools.cached_property
  def _game(self):
    return self._setup.rules().game

  @functools.cached_property
  def _compiled(self):
    """The networks' passes, (variables, inputs, label) -> output."""

    def make(net):
      def run(variables, inputs, label):
        tree = {'params': variables['params'], **variables['vars']}
        return networks.apply(net, tree, inputs, label, train=False)

      return jax.jit(run)

    return {player: make(net) for player, net in self._game.nets.items()}

  def _apply(self, player, variables, inputs, label):
    return self._compiled[player](variables, inputs, label)

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


def _seed(seed):
  return options.whole_number('seed', seed, least=0, most=2**32 - 1)


def _given(made):
  """For NumPy, unless it is a part of what somebody compiles."""
  if isinstance(made, jax.core.Tracer):
    return made.astype(jnp.float32)
  return np.asarray(made, np.float32)
