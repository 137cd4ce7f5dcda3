"""Inception score: whether the classes are clear, and many.

Salimans et al., Improved Techniques for Training GANs,
https://arxiv.org/abs/1606.03498, section 4: exp E_x KL(p(y|x) || p(y)), p(y)
being the mean over the samples; from 1 to the number of classes. The name is
the paper's: any classifier's probabilities will do, but scores of different
classifiers are not comparable.
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

TOLERANCE = 1e-3  # how far from 1 the probabilities of a sample may add up


def inception_score(
  probs, splits: int = 10, *, shuffle_seed: int | None = None
) -> tuple[float, float]:
  """Mean and standard deviation of the score over equal parts of the samples.

  A small part scores lower than a large one: 10 splits of 5,000 are not
  comparable with one of 50,000.

  Args:
    probs: class probabilities [N, C].
    splits: parts, taken in order; they differ by one sample if N is not a
      multiple of them.
    shuffle_seed: the samples are first permuted by NumPy's RandomState of this
      seed, as torch-fidelity does with 2020. None leaves the order.

  Returns:
    (mean, standard deviation) over the parts, the latter divided by their
    number, not by one less.

  Raises:
    UserError: wrong shape, fewer samples than splits, NaN, probabilities below
      zero or that do not add up to 1.
  """
  if splits < 1:
    raise UserError(f'inception_score: expected 1 split or more, got {splits}')
  probs = _checked(probs, splits)
  if shuffle_seed is not None:
    rng = np.random.RandomState(shuffle_seed)
    probs = probs[rng.permutation(len(probs))]
  edges = np.arange(splits + 1) * len(probs) // splits
  parts = [probs[i:j] for i, j in zip(edges[:-1], edges[1:], strict=True)]
  scores = np.array([_score(part) for part in parts])
  return float(scores.mean()), float(scores.std())


def _score(p):
  """exp of the mean of KL(p || mean of p); 0 log 0 = 0."""
  safe = np.where(p > 0, p, 1)
  marginal = p.mean(axis=0)
  ratio = np.log(safe) - np.log(np.where(marginal > 0, marginal, 1))
  return np.exp((p * ratio).sum(axis=1).mean())


def _checked(probs, splits):
  probs = checks.features(probs, 'probs', least=splits)
  if probs.min() < 0:
    raise UserError(f'probs: expected none below 0, got {probs.min():.6g}')
  sums = probs.sum(axis=1)
  worst = float(sums[np.abs(sums - 1).argmax()])
  if abs(worst - 1) > TOLERANCE:
    raise UserError(
      f'probs: expected rows that add up to 1, got one of {worst:.6g} '
      '(logits need a softmax first)'
    )
  return probs
