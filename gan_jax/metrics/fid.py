"""Fréchet distance between two sets of features.

Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local
Nash Equilibrium, https://arxiv.org/abs/1706.08500, section 4: both sets are
taken for Gaussians,
  |mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2).
In float64 on the host: in float32 a singular covariance (fewer examples than
dimensions) is wrong in the third digit.
"""

import copy
from collections.abc import Callable

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

ROWS = 4096  # examples that are converted to float64 at a time


class Moments:
  """Count, mean and scatter of features that come in batches.

  In float64 whatever the batches are, by the update of Chan, Golub and LeVeque,
  Updating Formulae and a Pairwise Algorithm for Computing Sample Variances,
  1979: a mean far from zero costs no digits.

  Attributes:
    count: N, the examples so far.
    mean: [D]; None before the first of them.
    scatter: [D, D], the sum of (x - mean) (x - mean)^T; None likewise.
  """

  def __init__(self):
    self.count, self.mean, self.scatter = 0, None, None

  def add(self, features, *, name: str = 'features') -> None:
    """Adds a batch; a bad one changes nothing.

    Args:
      features: [B, D], any kind of number.
      name: what to call them in an error.

    Raises:
      UserError: wrong shape, no examples, NaN or infinity, other dimensions
        than before.
    """
    x = checks.unconverted(features, name)
    if self.count:
      _check_dimensions(x.shape[1], self.mean.size, name)
    for start in range(0, len(x), ROWS):
      self._add(x[start : start + ROWS])

  def merge(self, other: 'Moments') -> 'Moments':
    """The moments of both sets of examples together; neither is changed.

    Args:
      other: of features of the same dimension.

    Returns:
      Moments that `add` can change without changing these.

    Raises:
      UserError: the dimensions differ.
    """
    if not (self.count and other.count):
      return copy.deepcopy(self if self.count else other)
    _check_dimensions(other.mean.size, self.mean.size, 'features')
    both = Moments()
    both.count = self.count + other.count
    delta = other.mean - self.mean
    both.mean = self.mean + other.count / both.count * delta
    weight = self.count * other.count / both.count
    both.scatter = self.scatter + other.scatter
    both.scatter += weight * delta[:, None] * delta
    return both

  def statistics(self) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and unbiased covariance [D, D].

    Raises:
      UserError: fewer than two examples.
    """
    if self.count < 2:
      raise UserError(f'features: at least 2 examples needed, got {self.count}')
    return self.mean.copy(), self.scatter / (self.count - 1)

  def _add(self, x):
    n, (m, d) = self.count, x.shape
    if not n:
      self.mean, self.scatter = np.zeros(d), np.zeros((d, d))
    rows = np.empty((m + 1, d))
    rows[:m] = x
    mean = rows[:m].mean(axis=0)
    delta = mean - self.mean
    rows[:m] -= mean
    rows[m] = (
      np.sqrt(n * m / (n + m)) * delta
    )  # one more row: the shift of the mean
    self.count = n + m
    self.mean = self.mean + m / self.count * delta
    self.scatter += rows.T @ rows


def statistics(features) -> tuple[np.ndarray, np.ndarray]:
  """Mean and unbiased covariance, in float64 whatever the input.

  Args:
    features: [N, D], N >= 2.

  Returns:
    mu [D] and sigma [D, D].

  Raises:
    UserError: wrong shape, fewer than two examples, NaN or infinity.
  """
  return _moments(features, 'features').statistics()


def distance_to(mu, sigma) -> Callable:
  """Prepares for many distances to the same Gaussian.

  Its covariance is decomposed once.

  Args:
    mu: mean [D].
    sigma: covariance [D, D].

  Returns:
    distance(mu, sigma) -> squared Fréchet distance, >= 0; it raises UserError
    as `distance_to` does, and where the dimensions differ.

  Raises:
    UserError: shapes that do not fit, NaN or infinity.
  """
  mu, sigma = _checked_statistics(mu, sigma)
  factor = _factor(sigma)  # [D, R]

  def distance(other_mu, other_sigma) -> float:
    other_mu, other_sigma = _checked_statistics(other_mu, other_sigma)
    _check_dimensions(other_mu.size, mu.size, 'statistics')
    traces = np.trace(sigma) + np.trace(other_sigma)
    traces -= 2 * _trace_root(factor, _factor(other_sigma))
    # Rounding may leave -1e-15 where the two are the same.
    return max(0.0, float(np.sum((mu - other_mu) ** 2) + traces))

  return distance


def frechet_from_statistics(mu1, s1, mu2, s2) -> float:
  """Fréchet distance of two Gaussians.

  Args:
    mu1: mean [D].
    s1: covariance [D, D].
    mu2: mean [D].
    s2: covariance [D, D].

  Returns:
    The squared distance, >= 0.

  Raises:
    UserError: shapes that do not fit, NaN or infinity.
  """
  return distance_to(mu1, s1)(mu2, s2)


def frechet_distance(features_a, features_b) -> float:
  """Fréchet distance between two sets of features.

  Args:
    features_a: [N, D], any kind of float, N >= 2.
    features_b: [M, D], likewise.

  Returns:
    The squared distance, >= 0.

  Raises:
    UserError: wrong shapes, fewer than two examples, NaN or infinity.
  """
  a = _moments(features_a, 'features_a')
  b = _moments(features_b, 'features_b')
  names = ('features_a', 'features_b')
  checks.same_dimension(a.mean.size, b.mean.size, names)
  return frechet_from_statistics(*a.statistics(), *b.statistics())


def intra_class_distance(
  real, real_labels, fake, fake_labels, num_classes: int
) -> dict:
  """Fréchet distance within each class, which sees what a mixture hides.

  The intra FID of Miyato & Koyama, cGANs with Projection Discriminator,
  https://arxiv.org/abs/1802.05637.

  Args:
    real: features [N, D].
    real_labels: [N] integers below num_classes.
    fake: features [M, D].
    fake_labels: [M], the classes that the fakes were made for.
    num_classes: number of classes.

  Returns:
    mean: of the squared distances of the classes.
    per_class: list of num_classes floats, the squared distance of each; None
      of a class that neither side has, which does not count.

  Raises:
    UserError: as `frechet_distance`; labels that do not fit; a class with
      fewer than two examples of a side.
  """
  real, real_labels = _labelled(real, real_labels, num_classes, 'real')
  fake, fake_labels = _labelled(fake, fake_labels, num_classes, 'fake')
  _check_dimensions(fake.shape[1], real.shape[1], 'fake')
  there = np.isin(np.arange(num_classes), [*real_labels, *fake_labels])
  _check_counts(real_labels, there, 'real')
  _check_counts(fake_labels, there, 'fake')
  distances = [
    frechet_distance(real[real_labels == c], fake[fake_labels == c])
    if there[c]
    else None
    for c in range(num_classes)
  ]
  mean = np.mean([d for d in distances if d is not None])
  return {'mean': float(mean), 'per_class': distances}


def _check_counts(labels, there, name):
  """Refuses a class that is there with fewer than two examples of a side."""
  counts = np.bincount(labels, minlength=len(there))
  few = np.flatnonzero(there & (counts < 2))
  if few.size:
    c = few[counts[few].argmin()]
    raise UserError(
      f'{name}, class {c}: at least 2 examples needed, got {counts[c]}'
    )


def _moments(features, name):
  moments = Moments()
  moments.add(checks.unconverted(features, name, least=2), name=name)
  return moments


def _check_dimensions(got, wanted, name):
  if got != wanted:
    raise UserError(f'{name} have {got} dimensions, expected {wanted}')


def _checked_statistics(mu, sigma):
  mu, sigma = np.asarray(mu, np.float64), np.asarray(sigma, np.float64)
  if mu.ndim != 1 or sigma.shape != 2 * mu.shape or not mu.size:
    raise UserError(
      'fid: expected a mean [D] and a covariance [D, D], got '
      f'{list(mu.shape)} and {list(sigma.shape)}'
    )
  if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
    raise UserError('fid: the statistics hold NaN or infinity')
  return mu, sigma


def _labelled(x, labels, num_classes, name):
  """Features and labels that fit."""
  x, labels = checks.unconverted(x, name), np.asarray(labels)
  if labels.shape != x.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
    raise UserError(
      f'{name}: expected {len(x)} integer labels, got {labels.dtype} '
      f'{list(labels.shape)}'
    )
  checks.label_range(labels, num_classes, f'{name}: labels')
  return x, labels


def _factor(sigma):
  """L [D, R] with L L^T = sigma, R its rank: Cholesky's, with pivots."""
  from scipy.linalg import lapack

  lower, pivots, rank, _ = lapack.dpstrf(sigma, lower=1)
  factor = np.empty((len(sigma), rank))
  factor[pivots - 1] = np.tril(lower)[:, :rank]
  tolerance = len(sigma) ** 2 * np.finfo(np.float64).eps * np.trace(sigma)
  if abs(np.trace(sigma) - np.sum(factor**2)) <= tolerance:
    return factor
  # Statistics that were made in float32 may be far from positive.
  values, vectors = np.linalg.eigh(sigma)
  return vectors * np.sqrt(np.maximum(values, 0))


def _trace_root(a, b):
  """tr (A A^T B B^T)^1/2, the sum of the singular values of A^T B."""
  product = a.T @ b  # [R, S]
  # The smaller of its squares has no zeros where the rank is deficient.
  small = product.T if a.shape[1] > b.shape[1] else product
  values = np.linalg.eigvalsh(small @ small.T)
  return np.sqrt(np.maximum(values, 0)).sum()
