"""The bilinear game: min over x, max over y of x^T A y.

Goodfellow 2016 (https://arxiv.org/abs/1701.00160), Section 8.2, for x y; with a
matrix, Gidel et al. 2019 (https://arxiv.org/abs/1802.10551). G is x, D is y:
with data at the origin and the loss `wasserstein`, G pays x^T A y and D its
negative. Both are at rest at (0, 0), and what attracts, turns or repels there
is the dynamics alone.
"""

import flax.linen as nn
import numpy as np

from gan_jax.models.dirac import Generator  # noqa: F401
from gan_jax.types import UserError

KINDS = ('point',)  # of samples
MATRICES = ('identity', 'normal')


def matrix(name: str, rows: int, columns: int, seed: int) -> np.ndarray:
  """A [rows, columns] float32, fixed by its options.

  Args:
    name: 'identity', or 'normal': independent numbers of variance 1 / rows.
    rows: dimensions of x.
    columns: of y.
    seed: of the normal ones.

  Raises:
    UserError: another name.
  """
  if name not in MATRICES:
    raise UserError(
      f'model.d.matrix={name!r}: there are {", ".join(MATRICES)}.'
    )
  if name == 'identity':
    return np.eye(rows, columns, dtype=np.float32)
  drawn = np.random.default_rng(seed).normal(size=(rows, columns))
  return np.float32(drawn / np.sqrt(rows))


def ignored(options: dict) -> str:
  """The option of config.model that has no effect beside the others, or ''."""
  own = options.get('d', {})
  drawn = own.get('matrix', MATRICES[0]) != MATRICES[0]
  return '' if drawn or not own.get('matrix_seed') else 'd.matrix_seed'


class Discriminator(nn.Module):
  """y, by what G's point loses against it."""

  matrix: str = 'identity'  # A, or 'normal'
  matrix_seed: int = 0
  size: int = 0  # dimensions of y; 0: as many as of x
  start: float = 1.0  # standard deviation of its first coordinates

  @nn.compact
  def __call__(self, x, label=None, *, train):
    """Returns logits [B], -x^T A y, of samples [B, N]."""
    del label, train
    rows = x.shape[-1]
    columns = self.size or rows
    a = matrix(self.matrix, rows, columns, self.matrix_seed)
    y = self.param('point', nn.initializers.normal(self.start), (columns,))
    return -(x @ (a @ y))
