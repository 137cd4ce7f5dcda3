"""The Vendi score: the effective number of different samples.

Friedman and Dieng, The Vendi Score, https://arxiv.org/abs/2210.02410,
section 3; orders other than 1 as in Pasarkar and Dieng, Cousins of the Vendi
Score, https://arxiv.org/abs/2310.12952.
"""

import numpy as np

from gan_jax.metrics import checks
from gan_jax.types import UserError

KERNELS = ('cosine', 'rbf')


def vendi(
  features,
  *,
  order: float = 1.0,
  kernel: str = 'cosine',
  bandwidth: float | None = None,
) -> float:
  """Effective number of different samples, from 1 to N.

  The exponential of the Rényi entropy (Shannon's for order 1) of the
  eigenvalues of K / N, K the similarities [N, N]. It needs no real samples and
  so says nothing about quality: noise is diverse. It grows with N, so compare
  at equal N only.

  Args:
    features: [N, D].
    order: of the entropy, 0 or more: 0 counts the distinct directions,
      `math.inf` looks at the largest eigenvalue only.
    kernel: 'cosine', x y / |x| |y|, which costs min(N, D)^3; or 'rbf',
      exp(-|x - y|^2 / 2 bandwidth^2), which costs N^3 and N^2 of memory.
    bandwidth: of 'rbf', in the units of the features.

  Returns:
    The score.

  Raises:
    UserError: wrong shape, no examples, NaN or infinity, examples that are
      zero (cosine), or an option out of range.
  """
  x = checks.features(features, 'features')
  if not order >= 0:
    raise UserError(f'vendi: expected an order of 0 or more, got {order}')
  if kernel not in KERNELS:
    raise UserError(
      f'vendi: kernel {kernel!r}; there are {" and ".join(KERNELS)}'
    )
  similar = _cosine(x) if kernel == 'cosine' else _rbf(x, bandwidth)
  return _effective_number(np.linalg.eigvalsh(similar / len(x)), order)


def _cosine(x):
  """Similarities [N, N], or [D, D] with the same eigenvalues if smaller."""
  norms = np.linalg.norm(x, axis=1, keepdims=True)
  zeros = int((norms == 0).sum())
  if zeros:
    raise UserError(
      f'vendi: {zeros} of {len(x)} features are all zero and have no cosine; '
      "use kernel 'rbf' for these"
    )
  x = x / norms
  return x @ x.T if len(x) <= x.shape[1] else x.T @ x


def _rbf(x, bandwidth):
  if bandwidth is None or not 0 < bandwidth < np.inf:
    raise UserError(
      f"vendi: kernel 'rbf' needs a bandwidth above 0, got {bandwidth}"
    )
  x = (x - x.mean(axis=0)) / bandwidth
  norms = (x**2).sum(axis=1)
  products = x @ x.T
  products -= norms / 2
  products -= norms[:, None] / 2  # -|x - y|^2 / 2
  return np.exp(np.minimum(products, 0))


def _effective_number(eigenvalues, order):
  """exp of the Rényi entropy of eigenvalues that add up to 1."""
  # Zeros come out as 1e-17, which an order near 0 would count.
  floor = len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues.max()
  p = eigenvalues[eigenvalues > floor]
  if order == 1:
    return float(np.exp(-np.sum(p * np.log(p))))
  if np.isinf(order):
    return float(1 / p.max())
  # Relative to the largest: p^order alone vanishes for a high order.
  top = p.max()
  total = order * np.log(top) + np.log(np.sum((p / top) ** order))
  return float(np.exp(total / (1 - order)))
