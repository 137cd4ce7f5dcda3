"""Samples of a run that its own discriminator chooses."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.data import kinds
from gan_jax.game import keys as keys_lib
from gan_jax.game.sampling import calibration, chains, rejection
from gan_jax.run import labels as labels_lib
from gan_jax.run import sampling
from gan_jax.run.samplers import making
from gan_jax.run.samplers import way as way_lib
from gan_jax.run.samplers.way import Way
from gan_jax.types import UserError

BATCH = making.BATCH
BURN_IN = 10_000  # samples among which the largest logit is sought
HELD_OUT = 1000  # samples of each side, at most, that calibrate D
# Streams of a draw's key beside that of its latents.
FIRST, OTHERS, AGAIN = range(100, 103)


def batches(
  setup,
  way: Way,
  variables,
  key: jax.Array,
  num: int,
  *,
  labels: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
  """Samples of one seed that D has chosen; see sampling.batches.

  A sample follows from the key, its index and its label alone.

  Args:
    setup: setup.Setup.
    way: settled, with a rejection.
    variables: State.ema of one seed, with D's, see making.with_judge.
    key: root key [] of the draw.
    num: N.
    labels: [N] int or [N, C], or None for all classes in turn.

  Raises:
    UserError: samples that D never accepts, or no held-out samples.
  """
  choose = _Choice(setup, way, variables, key)
  whole = -(-num // BATCH) * BATCH
  if labels is None:
    labels = sampling.balanced_labels(whole, setup.num_classes)
  else:
    labels = sampling.as_labels(labels)
    labels = labels[np.arange(whole) % len(labels)]
  for first in range(0, num, BATCH):
    index = np.arange(first, first + BATCH, dtype=np.int32)
    label = None if labels is None else labels[first : first + BATCH]
    n = min(BATCH, num - first)
    made = np.asarray(choose(index, label, n))[:n]
    yield made, None if label is None else label[:n]


class _Choice:
  """Chooses the samples of a draw; what they are judged by is found once."""

  def __init__(self, setup, way, variables, key):
    self._setup, self._way, self._key = setup, way, key
    self._variables = variables
    self._parts = making.parts(setup, way)
    self._real = self._ratio = None
    if way.calibrate or way.rejection == way_lib.MH:
      self._real = self._real_logits()
    self._scale = jnp.array(self._calibrated(), jnp.float32)
    steps = way.rejection_steps or way_lib.STEPS[way.rejection]
    self._most = self._gamma = 0.0
    if way.rejection == way_lib.DRS:
      self._burn_in()
    make = {
      way_lib.DRS: _rejected,
      way_lib.MH: _chained,
      way_lib.DDLS: _moved,
    }[way.rejection]
    self._make = jax.jit(functools.partial(make, self._parts, steps))

  def __call__(self, index, label, wanted):
    """Samples [B, ...] of index [B]; the first ones are wanted."""
    args = self._variables, self._scale, self._key, index, label
    if self._way.rejection == way_lib.DDLS:
      return self._make(*args)
    if self._way.rejection == way_lib.MH:
      begin = np.float32(self._begin(index))
      made, moved = self._make(*args, begin)
      if np.asarray(moved)[:wanted].all():
        return made
      # A chain that its real sample keeps begins anew, from one of G's.
      again = self._make(*args, np.full(len(index), -np.inf, np.float32))[0]
      choose = lambda a, b: np.where(
        np.asarray(moved).reshape(-1, *[1] * (a.ndim - 1)), a, b
      )
      return jax.tree.map(choose, jax.device_get(made), jax.device_get(again))
    made, there = self._make(*args, (self._most, self._gamma))
    if not np.asarray(there)[:wanted].all():
      raise UserError(
        'rejection=drs: a sample was never accepted; D is too sure of G for it'
        ' (rejection_percentile=80 accepts more).'
      )
    return made

  def _begin(self, index):
    """Log ratios of real samples, one for each chain."""
    slope, offset = np.asarray(self._scale)
    return slope * self._real[index % len(self._real)] + offset

  def _real_logits(self):
    x, label = held_out(self._setup, self._way)
    judge = functools.partial(self._parts.judge, self._variables)
    return making.in_batches(judge, x, label)

  def _calibrated(self):
    """(slope, offset) that make log density ratios of D's logits."""
    if not self._way.calibrate:
      return 1.0, 0.0
    fake = self._first(len(self._real), OTHERS)
    both = np.concatenate([self._real, fake])
    if not np.isfinite(both).all():
      raise UserError("calibrate: D's logits are not finite.")
    slope, offset = calibration.fit(self._real, fake)
    if slope <= 0:
      raise UserError(
        'calibrate: D calls held-out samples no more real than those of G; its'
        ' logits say nothing of their densities.'
      )
    return slope, offset

  def _first(self, count, stream):
    """Logits [count] of samples as G makes them."""
    key = keys_lib.stream(self._key, stream)
    index = np.arange(-(-count // BATCH) * BATCH, dtype=np.int32)
    labels = labels_like(self._setup, key, len(index))
    made = _logits(self._parts)
    judge = lambda index, label: made(self._variables, key, index, label)
    return making.in_batches(judge, index, labels)[:count]

  def _burn_in(self):
    slope, offset = np.asarray(self._scale)
    logits = slope * self._first(BURN_IN, FIRST) + offset
    if not np.isfinite(logits).all():
      raise UserError("rejection=drs: D's logits are not finite.")
    self._most = jnp.float32(logits.max())
    if at := self._way.rejection_percentile:
      gamma = rejection.gamma_of(jnp.asarray(logits), self._most, at)
      self._gamma = jnp.float32(gamma)


def _logits(parts):
  @jax.jit
  def judged(variables, key, index, label):
    made = parts.sample(variables, key, index, label)
    return parts.judge(variables, made, label)

  return judged


def labels_like(setup, key, num):
  """Labels of a draw as the data have them; None without any."""
  return labels_lib.of_draw(setup, labels_lib.DATA, key, num)


def held_out(setup, way: Way) -> tuple[np.ndarray, np.ndarray | None]:
  """Real samples that D has not seen, and their labels where it needs them.

  A chain may begin with any; where none are held out it takes those of the
  training.

  Raises:
    UserError: D is to be calibrated, and there are none.
  """
  unseen = setup.held_out()
  fits = 'x' in unseen and ('label' in unseen or not setup.conditional)
  if not fits and way.calibrate:
    raise UserError(
      'calibrate: this run holds no samples out (data.held_out, or a test'
      ' split), and D knows those that it has learned from.'
    )
  if fits:
    x, label = unseen['x'][:HELD_OUT], unseen.get('label')
  else:
    rows = np.linspace(0, setup.dataset.size - 1, HELD_OUT).astype(int)
    read = setup.dataset.read(np.unique(rows))
    x, label = kinds.in_model_range(setup.dataset, read['x']), read.get('label')
  x = np.asarray(x, np.float32)
  label = label if setup.conditional else None
  return x, None if label is None else sampling.as_labels(label)[: len(x)]


def _ratio(parts, variables, scale, latent, label):
  """log(p_d / p_g) [B] of G's samples of latents, as D sees it."""
  made = parts.samples(variables, latent, label)
  return scale[0] * parts.judge(variables, made, label) + scale[1]


def _rejected(parts, tries, variables, scale, key, index, label, bar):
  """(samples [B, ...], whether they are there [B]) by rejection."""
  most, gamma = bar

  def propose(keys, place):
    latent = parts.latents(keys)
    own = None if label is None else label[place]
    return latent, _ratio(parts, variables, scale, latent, own)

  keys = sampling.keys_of(key, index)
  latent, _, there = rejection.draw(
    propose, keys, most=most, gamma=gamma, tries=tries
  )
  return parts.samples(variables, latent, label), there


def _chained(parts, steps, variables, scale, key, index, label, begin):
  """(samples [B, ...], whether they have moved [B]) of chains."""

  def propose(keys):
    latent = parts.latents(keys)
    return latent, _ratio(parts, variables, scale, latent, label)

  latent, _, moved = chains.metropolis_hastings(
    propose, sampling.keys_of(key, index), begin, steps=steps
  )
  return parts.samples(variables, latent, label), moved


def _moved(parts, steps, variables, scale, key, index, label):
  """Samples [B, ...] of latents moved by Langevin dynamics."""

  def energy(z):
    ratio = _ratio(parts, variables, scale, z, label)
    return chains.normal_energy(z) - ratio

  keys = sampling.keys_of(key, index)
  z = chains.langevin(
    energy,
    parts.latents(keys),
    keys_lib.fold_each(keys, AGAIN),
    steps=steps,
    rate=way_lib.RATE,
  )
  return parts.samples(variables, z, label)
