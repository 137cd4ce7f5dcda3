"""A trained GAN as functions of arrays."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.components import options
from gan_jax.game import forward, networks, packing
from gan_jax.run import draws, encoding, given_arrays, neighbours, opened
from gan_jax.run.labels import DATA
from gan_jax.run.opened import Label
from gan_jax.run.samplers import asked, inverting, ways
from gan_jax.run.sampling import take_seed
from gan_jax.run.workdir import contents
from gan_jax.types import D, G

_KEY = jax.eval_shape(lambda: jax.random.key(0))


class Trained(opened.Opened):
  """A run's networks at one of its checkpoints, see Opened, as functions.

  Samples are in model range: images [-1, 1], points as they are. G is its
  moving average, if the run keeps one.
  """

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
    n = options.whole_number('n', n, least=1, most=opened.MOST)
    return draws.draw(
      self._setup,
      self._state,
      n,
      seed=opened.seed_of(seed),
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
    n = options.whole_number('n', n, least=1, most=opened.MOST)
    return jax.device_get(
      draws.latents(self._game.prior, n, seed=opened.seed_of(seed))
    )

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

  def strips(
    self,
    n: int,
    *,
    seed: int = 0,
    label: Label = None,
    run_seed: int | None = None,
    **how: Any,
  ) -> np.ndarray:
    """Samples in rows, in each of which one thing changes.

    Args:
      n: samples that are moved; an interpolation leads from one to the next of
        two, a table of mixes takes the largest square of them.
      seed: of the draw.
      label: of all, or of each [n]; None draws them as in the data.
      run_seed: one of `seeds`; None for the first.
      **how: one of interpolate=8 (path='slerp' or 'lerp'), direction='sefa:0'
        or 'pca:0' (strength=(-3, 0, 3)), mix='coarse', 'middle', 'fine' or
        '0-3', code='c0=0..9'; and what `sample` takes but a rejection.

    Returns:
      [R, K, *shape], float32: R strips of K samples.

    Raises:
      UserError: what this generator does not have, no or two such things.
    """
    n = options.whole_number('n', n, least=1, most=opened.MOST)
    way, what = ways.strips_given(how, self._setup)
    labels, seed = self._labels(label, n), opened.seed_of(seed)
    if labels is None:
      labels = draws.labels_of_draw(self._setup, DATA, n, seed=seed)
    own = {'labels': labels, 'run_seed': self._index(run_seed)}
    made = asked.make(self._setup, self._state, way, n, what, seed=seed, **own)
    return made.samples

  def invert(
    self,
    x: Any,
    label: Label = None,
    *,
    steps: int = inverting.STEPS,
    seed: int = 0,
    run_seed: int | None = None,
  ) -> tuple[np.ndarray, np.ndarray]:
    """The samples nearest to given ones, by a search among latents or styles.

    The distance is of pixels and of D's features, see docs/sampling.md.

    Args:
      x: [N, *shape] in model range, or as the data have them (images: uint8).
      label: of all, or of each [N]; needed by a generator with labels.
      steps: of the search.
      seed: of the samples that it begins among.
      run_seed: one of `seeds`; None for the first.

    Returns:
      (samples [N, *shape], the styles [N, W] or latents [N, ...] they are of).

    Raises:
      UserError: a latent that cannot be moved, samples of another shape, labels
        that are missing.
    """
    x = self._in_model_range(x)
    labels = self._needed(label, len(x))
    steps = options.whole_number('steps', steps, least=1, most=opened.MOST)
    way = ways.given({}, self._setup)
    how = {'seed': opened.seed_of(seed), 'run_seed': self._index(run_seed)}
    of = self._setup, self._state, way, labels
    own = inverting.candidates(*of, **how)
    made, points, _ = inverting.invert(own, x, labels, steps=steps)
    return made, points

  def neighbours(self, x: Any, *, k: int = 5) -> np.ndarray:
    """The training examples nearest to samples, by the run's features.

    Args:
      x: [N, *shape] in model range, or as the data have them (images: uint8).
      k: of each.

    Returns:
      [N, k, *shape] in model range, the nearest first.

    Raises:
      UserError: samples of another shape, more than there are examples, data
        that are not there any more.
    """
    x = np.asarray(self._in_model_range(x))
    most = self._setup.dataset.size
    k = options.whole_number('k', k, least=1, most=most)
    protocol = contents.eval_protocol(self.config)
    return neighbours.beside(self._setup, x, protocol=protocol, k=k, say=_quiet)

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


def _given(made):
  """For NumPy, unless it is a part of what somebody compiles."""
  if isinstance(made, jax.core.Tracer):
    return made.astype(jnp.float32)
  return np.asarray(made, np.float32)


def _quiet(line):
  """Says nothing, as functions do."""
