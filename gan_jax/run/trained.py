"""A trained GAN as functions of arrays."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.game import forward, networks
from gan_jax.game import keys as keys_lib
from gan_jax.run import draws
from gan_jax.run.sampling import take_seed
from gan_jax.run.workdir import contents
from gan_jax.storage import paths
from gan_jax.types import D, G, UserError

# A label: a class by its name or its number, or one for each sample.
Label = str | int | Sequence[str | int] | np.ndarray | None


class Trained:
  """A run's networks at one of its checkpoints; the run is only read.

  Samples are in model range: images [-1, 1], points as they are. G is its
  moving average, if the run keeps one.

  Attributes:
    config: of the run, all keys.
    scores: its score records, as scores.json holds them.
    step: of the checkpoint.
    seeds: of the runs that were trained together; the methods take one of them
      as `run_seed`, and by default the first.
    shape: of one sample.
    class_names: of the labels; () for a generator without labels.
  """

  config: dict
  scores: list[dict]
  step: int
  seeds: tuple[int, ...]
  shape: tuple[int, ...]
  class_names: tuple[str, ...]

  def __init__(self, workdir, *, checkpoint: str | int = 'latest'):
    """Opens a run that has been trained, or is being trained.

    Args:
      workdir: of the run.
      checkpoint: 'latest', 'best', or a step.

    Raises:
      UserError: there is no run, or no such checkpoint.
    """
    opened = contents.open_run(workdir, which=str(checkpoint))
    self.config, self._setup, self._state, self.step = opened
    self.scores = contents.read_records(paths.expand(workdir) / 'scores.json')
    first, dataset = self.config['seed'], self._setup.dataset
    self.seeds = tuple(range(first, first + self.config['num_seeds']))
    self.shape = tuple(dataset.shape)
    self.class_names = dataset.class_names if self._setup.num_classes else ()

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
  ) -> np.ndarray:
    """Draws samples; the first ones do not depend on how many there are.

    Args:
      n: number of samples, at least 1.
      seed: of the draw.
      label: of all samples, or of each [n]; None draws them as in the data.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [n, *shape], float32.

    Raises:
      UserError: a number that is too small, or a label that does not exist.
    """
    if n < 1 or not 0 <= seed < 2**32:
      raise UserError(
        f'n={n}, seed={seed}: expected at least 1, and 0 to 2**32 - 1.'
      )
    return draws.draw(
      self._setup,
      self._state,
      n,
      seed=seed,
      labels=self._labels(label, n),
      run_seed=self._index(run_seed),
    )

  def generate(
    self, z: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """What G makes of latents.

    Args:
      z: [N, ...], such as `latents` draws.
      label: of all, or of each [N]; needed by a generator with labels.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [N, *shape], float32.

    Raises:
      UserError: labels that are missing or do not exist.
    """
    variables = take_seed(self._state.ema[G], self._index(run_seed))
    label = self._needed(label, len(z))
    made = self._apply(G, variables, jnp.asarray(z), label)
    return np.asarray(made, np.float32)

  def latents(self, n: int, *, seed: int = 0) -> np.ndarray:
    """Draws latents [n, ...] of the run's prior; to be given to `generate`."""
    key = jax.random.key(seed)
    keys = keys_lib.fold_examples(key, np.arange(n, dtype=np.int32))
    return np.asarray(jax.vmap(self._game.prior)(keys))

  def discriminate(
    self, x: Any, label: Label = None, *, run_seed: int | None = None
  ) -> np.ndarray:
    """What D thinks of samples: its logits.

    Under cross-entropy a sample is real with the probability
    1 / (1 + exp(-logit)), as D believes; what a logit means under another loss,
    the loss says.

    Args:
      x: [N, *shape] in model range.
      label: of all, or of each [N]; needed by a discriminator with labels.
      run_seed: one of `seeds`; None for the first.

    Returns:
      [N], float32.

    Raises:
      UserError: samples of another shape, labels that are missing.
    """
    x = jnp.asarray(x, jnp.float32)
    if x.shape[1:] != self.shape:
      expected = ', '.join(map(str, self.shape))
      raise UserError(
        f'x has the shape {list(x.shape)}: expected [N, {expected}].'
      )
    player = take_seed(self._state.players[D], self._index(run_seed))
    variables = {'params': player.params, 'vars': player.vars}
    output = self._apply(D, variables, x, self._needed(label, len(x)))
    return np.asarray(forward.heads_of(output)['logits'])

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
    wanted = '' if run_seed is None else f'{run_seed:d}'
    return draws.seed_positions(self.config, wanted, flag='run_seed')[0]

  def _needed(self, label, n):
    """Labels [n]; refused where they are missing."""
    if label is None and self.class_names:
      some = ', '.join(self.class_names[:5])
      raise UserError(f'label: expected one of the classes {some} ...')
    return self._labels(label, n)

  def _labels(self, label, n):
    """Labels [n] int32; None where none are given."""
    if label is None:
      return None
    if not self.class_names:
      raise UserError(f'label={label!r}: this run knows no labels.')
    one = isinstance(label, str | int | np.integer)
    each = [label] * n if one else list(label)
    if len(each) != n:
      raise UserError(f'label: expected one or {n} labels, got {len(each)}.')
    return np.array([self._class(one) for one in each], np.int32)

  def _class(self, label):
    """The number of a class."""
    if not isinstance(label, str) and 0 <= label < len(self.class_names):
      return int(label)
    return draws.class_numbers(self._setup, str(label), flag='label')[0]
