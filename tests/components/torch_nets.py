"""Networks by PyTorch, of our variables: what the parity tests share.

Images are [B, C, H, W] here. Every weight keeps our layout as the tensor that
collects gradients, so that they can be compared leaf by leaf.
"""

import functools

import jax
import numpy as np
import pytest

from tests.components import frozen

torch = pytest.importorskip('torch', reason='the extra parity')


class Weights:
  """Variables of a network, by the path of a module."""

  def __init__(self, variables):
    tensor = lambda a: torch.tensor(np.asarray(a))
    self.params = jax.tree.map(
      lambda a: tensor(a).requires_grad_(), variables['params']
    )
    self.spectral = jax.tree.map(tensor, variables.get('spectral', {}))

  def has(self, path):
    """Whether there is such a module."""
    return self._at(self.params, path) is not None

  def __call__(self, path, leaf='kernel'):
    """A weight, divided by its largest singular value where it is to be."""
    value = self._at(self.params, path)[leaf]
    vectors = self._at(self.spectral, path)
    if leaf not in ('kernel', 'embedding') or not vectors:
      return value
    matrix = value.reshape(-1, value.shape[-1])
    with torch.no_grad():  # one power iteration, as in training
      unit = functools.partial(torch.nn.functional.normalize, dim=0)
      v = unit(matrix @ vectors['norm']['u'])
      u = unit(v @ matrix)
    return value / (v @ matrix @ u)

  def _at(self, tree, path):
    for name in path.split('/'):
      tree = tree.get(name, {})
    return tree or None


def dense(w, path, x):
  """x [B, I] -> [B, O]."""
  y = x @ w(path)
  has_bias = 'bias' in w._at(w.params, path)
  return y + w(path, 'bias') if has_bias else y


def conv(w, path, x):
  """A convolution that keeps the size."""
  kernel = w(path).permute(3, 2, 0, 1)  # [O, I, h, w]
  bias = w(path, 'bias') if 'bias' in w._at(w.params, path) else None
  return torch.nn.functional.conv2d(x, kernel, bias, padding='same')


def batch_norm(w, path, x, epsilon, modulation=None):
  """By the batch's statistics; modulation(path) is (scale, shift) [B, C]."""
  x = torch.nn.functional.batch_norm(x, None, None, training=True, eps=epsilon)
  return scaled(w, f'{path}/batch', x, modulation and modulation(path))


def scaled(w, path, x, pair=None):
  """x times a scale, plus a shift: a pair [B, C], or those that are learnt."""
  if pair:
    scale, shift = (y[:, :, None, None] for y in pair)
  else:
    own = (w(path, leaf) for leaf in ('scale', 'bias'))
    scale, shift = (y[None, :, None, None] for y in own)
  return x * scale + shift


def attention(w, path, x):
  """SAGAN's, of maxima of squares of four."""
  flat = lambda y: y.flatten(2)  # [B, C, N]
  pool = lambda y: torch.nn.functional.max_pool2d(y, 2)
  query = flat(conv(w, f'{path}/query', x))
  key = flat(pool(conv(w, f'{path}/key', x)))
  value = flat(pool(conv(w, f'{path}/value', x)))
  weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # [B, N, M]
  y = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
  return x + w(path, 'scale') * conv(w, f'{path}/output', y)


def grid(x, rows, columns):
  """[B, H W C] as our dense layer makes it -> [B, C, H, W]."""
  return x.reshape(len(x), rows, columns, -1).permute(0, 3, 1, 2)


def projected(w, features, label):
  """The logit, and what the label's embedding says of the features."""
  logits = dense(w, 'logits', features)[:, 0]
  return logits + (w('embed', 'embedding')[label] * features).sum(1)


def compare(case, by_torch, *, rtol=1e-4):
  """A network's values and all its gradients by JAX and by PyTorch.

  Args:
    case: of frozen.CASES.
    by_torch: (Weights, x, label) -> tensor; images are [B, C, H, W].
    rtol: of the largest number of each array.
  """
  variables, x, run = frozen.begun(case)
  w, own = Weights(variables), torch.tensor(x).requires_grad_()
  given = own.permute(0, 3, 1, 2) if own.ndim == 4 else own
  theirs = by_torch(w, given, torch.tensor(frozen.LABEL))
  theirs = theirs.permute(0, 2, 3, 1) if theirs.ndim == 4 else theirs
  by = np.random.default_rng(1).normal(size=theirs.shape).astype(np.float32)
  (theirs * torch.tensor(by)).sum().backward()
  theirs = theirs.detach().numpy()

  def total(params, x):
    y = run(params, x)
    return (y * by).sum(), y

  both = jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))
  (_, ours), slopes = both(variables['params'], x)
  _close(ours, theirs, rtol)
  grads = jax.tree.map(lambda t: t.grad.numpy(), w.params), own.grad.numpy()
  # A slope that is 0, as of a bias before a batch norm, is so to rounding.
  most = max(np.abs(g).max() for g in jax.tree.leaves(grads))
  check = functools.partial(_close, rtol=rtol, least=most / 100)
  jax.tree.map(check, slopes, grads)
  np.testing.assert_allclose(frozen.figures(theirs), case.figures, 1e-3, 1e-4)


def _close(ours, theirs, rtol, least=0.0):
  atol = rtol * max(np.abs(theirs).max(), least)
  np.testing.assert_allclose(ours, theirs, 0, atol)
