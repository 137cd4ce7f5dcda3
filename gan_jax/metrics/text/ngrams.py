"""Runs of n characters, and how far two texts differ in them.

I. Gulrajani et al., Improved training of Wasserstein GANs (2017), appendix on
the character-level language model, https://arxiv.org/abs/1704.00028.
"""

import numpy as np

from gan_jax.metrics.text.characters import Texts


def runs(texts: Texts, n: int) -> tuple[np.ndarray, np.ndarray]:
  """All runs of n characters, as numbers: exact while V^n is at most 2^64.

  Returns:
    (runs [M] uint64, the text of each [M]), text by text.
  """
  count, length = texts.ids.shape
  places = length - n + 1
  if places < 1:
    return np.zeros(0, np.uint64), np.zeros(0, np.int64)
  base, code = np.uint64(len(texts.letters)), np.uint64(0)
  ids = texts.ids.astype(np.uint64)
  for k in range(n):
    code = code * base + ids[:, k : k + places]
  inside = np.arange(places)[None, :] <= (texts.lengths - n)[:, None]
  owner = np.broadcast_to(np.arange(count)[:, None], inside.shape)
  return code[inside], owner[inside]


def divergence(one: np.ndarray, other: np.ndarray) -> float:
  """Jensen-Shannon divergence of two draws of things, in bits.

  Args:
    one: [N], anything that can be sorted; equal ones are alike.
    other: [M].

  Returns:
    from 0, the same shares, to 1, nothing in common; 1 if only one is empty.
  """
  if not len(one) or not len(other):
    return float(len(one) != len(other))
  _, place = np.unique(np.concatenate([one, other]), return_inverse=True)
  share = lambda x: np.bincount(x, minlength=place.max() + 1) / len(x)
  p, q = share(place[: len(one)]), share(place[len(one) :])
  middle = (p + q) / 2
  return (_divergence(p, middle) + _divergence(q, middle)) / 2


def _divergence(p, q):
  there = p > 0
  return float(np.sum(p[there] * np.log2(p[there] / q[there])))


def compare(real: Texts, fake: Texts, n: int) -> dict:
  """Divergence of the fakes' runs from those of real texts, and its floor.

  Few texts alone make a divergence, the longer the runs the larger; so both
  sides have equally many, and the floor is what as many real texts have that
  the comparison leaves out.

  Args:
    real: at least 2 texts; half of them is the most that is compared.
    fake: at least 1.
    n: characters of a run.

  Returns:
    'js', 'floor': bits; 'compared': texts of each side.
  """
  count = min(len(fake), len(real) // 2)
  of = lambda texts, start: runs(texts.part(start, start + count), n)[0]
  first = of(real, 0)
  return {
    'js': divergence(first, of(fake, 0)),
    'floor': divergence(first, of(real, count)),
    'compared': count,
  }
