"""What tests beside PyTorch share: the same numbers in both, compared.

Images are [B, C, H, W] in PyTorch. Every weight keeps our layout there, so that
gradients can be compared leaf by leaf.
"""

import functools

import jax
import numpy as np
import pytest

from tests.components import frozen

torch = pytest.importorskip('torch', reason='the extra parity')
F = torch.nn.functional
TOLERANCE = 1e-4  # relative to the largest number of an array


# ------------------------------------------------------------------- numbers


def drawn(shapes, *, seed=0, scale=0.5):
  """Any numbers in the shapes of a tree."""
  rng = np.random.default_rng(seed)
  draw = lambda a: (scale * rng.normal(size=a.shape)).astype(np.float32)
  return jax.tree.map(draw, shapes)


def parameters(net, *inputs, scale=0.3):
  """Parameters of a network, all of them random."""
  init = lambda key: net.init(key, *inputs, train=True)['params']
  return drawn(jax.eval_shape(init, jax.random.key(0)), scale=scale)


def tensors(tree):
  """A tree of arrays as tensors whose gradients are wanted."""
  make = lambda x: torch.tensor(np.asarray(x), requires_grad=True)
  return jax.tree.map(make, tree)


def compare(ours, theirs, params, *inputs, least=0.0):
  """Outputs, and gradients of their product with random numbers, are alike.

  Args:
    ours: (params, *inputs) -> array, in JAX.
    theirs: the same of tensors.
    params: tree of arrays.
    *inputs: trees of arrays.
    least: gradients smaller than that, of the largest of all, are compared as
      if they were as large: a bias before a batch norm has one of rounding.

  Returns:
    PyTorch's output, an array.
  """
  like = jax.eval_shape(ours, params, *inputs).shape
  weights = np.random.default_rng(9).normal(size=like).astype(np.float32)

  def total(*args):
    out = ours(*args)
    return (weights * out).sum(), out

  every = tuple(range(1 + len(inputs)))
  run = jax.jit(jax.value_and_grad(total, every, has_aux=True))
  (_, out), slopes = run(params, *inputs)
  given = tensors((params, *inputs))
  made = theirs(*given)
  (torch.from_numpy(weights) * made).sum().backward()
  made = made.detach().numpy()
  alike(out, made)
  zero = lambda x: x.grad if x.grad is not None else torch.zeros_like(x)
  grads = jax.tree.map(lambda x: zero(x).numpy(), given)
  most = max(np.abs(g).max() for g in jax.tree.leaves(grads))
  alike(slopes, grads, 'gradient of ', least=least * most)
  assert np.abs(made).max() > 1e-2 and most > 1e-2
  return made


def alike(ours, theirs, what='', *, least=0.0):
  """Two trees of arrays are equal, each array by its own largest number."""
  paths = jax.tree_util.tree_leaves_with_path(ours)
  for (path, a), b in zip(paths, jax.tree.leaves(theirs), strict=True):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    error = np.abs(a - b).max() / max(np.abs(b).max(), least, 1e-6)
    where = f'{what}{jax.tree_util.keystr(path)}: {error}'
    assert error < TOLERANCE, where


def compare_frozen(case, network):
  """The same of a network of frozen.CASES, and its figures.

  Args:
    case: of frozen.CASES.
    network: (Weights, x, label) -> tensor; images are [B, C, H, W].
  """
  variables, x, run = frozen.begun(case)
  kept = variables.get('spectral', {})
  spectral = jax.tree.map(lambda a: torch.tensor(np.asarray(a)), kept)

  def theirs(params, x):
    x = x.permute(0, 3, 1, 2) if x.ndim == 4 else x
    y = network(Weights(params, spectral), x, torch.tensor(frozen.LABEL))
    return y.permute(0, 2, 3, 1) if y.ndim == 4 else y

  made = compare(run, theirs, variables['params'], x, least=0.01)
  np.testing.assert_allclose(frozen.figures(made), case.figures, 1e-3, 1e-4)


class Weights:
  """Tensors of a network, by the path of a module."""

  def __init__(self, params, spectral):
    self._params, self._spectral = params, spectral

  def has(self, path, leaf=''):
    """Whether there is such a module, with such a leaf."""
    own = self._at(self._params, path)
    return own is not None and (not leaf or leaf in own)

  def __call__(self, path, leaf='kernel'):
    """A weight, divided by its largest singular value where it is to be."""
    value = self._at(self._params, path)[leaf]
    vectors = self._at(self._spectral, path)
    if leaf not in ('kernel', 'embedding') or not vectors:
      return value
    matrix = value.reshape(-1, value.shape[-1])
    with torch.no_grad():  # one power iteration, as in training
      unit = functools.partial(F.normalize, dim=0)
      v = unit(matrix @ vectors['norm']['u'])
      u = unit(v @ matrix)
    return value / (v @ matrix @ u)

  def _at(self, tree, path):
    for name in path.split('/'):
      tree = tree.get(name, {})
    return tree or None


# -------------------------------------------------------- layers, of Weights


def bias_of(w, path):
  """A module's bias, or None."""
  return w(path, 'bias') if w.has(path, 'bias') else None


def dense(w, path, x):
  """x [B, I] -> [B, O]."""
  return F.linear(x, w(path).T, bias_of(w, path))


def conv(w, path, x):
  """A convolution that keeps the size."""
  kernel = w(path).permute(3, 2, 0, 1)  # [O, I, h, w]
  return F.conv2d(x, kernel, bias_of(w, path), padding='same')


def halving(w, path, x):
  """A convolution of 4 x 4 and stride 2."""
  kernel = w(path).permute(3, 2, 0, 1)
  return F.conv2d(x, kernel, bias_of(w, path), stride=2, padding=1)


def doubling(w, path, x):
  """A transposed convolution of 4 x 4; theirs mirrors the kernel."""
  kernel = w(path).flip(0, 1).permute(2, 3, 0, 1)  # [I, O, h, w]
  bias = bias_of(w, path)
  return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def batch_norm(w, path, x, epsilon, modulation=None):
  """By the batch's statistics; modulation(path) is (scale, shift) [B, C]."""
  x = F.batch_norm(x, None, None, training=True, eps=epsilon)
  return scaled(w, f'{path}/batch', x, modulation and modulation(path))


def scaled(w, path, x, pair=None):
  """x times a scale, plus a shift: a pair [B, C], or those that are learnt."""
  own = pair or [w(path, leaf)[None] for leaf in ('scale', 'bias')]
  scale, shift = (y[(...,) + (None,) * (x.ndim - 2)] for y in own)
  return x * scale + shift


def by_class(w, label):
  """A modulation: 1 + a row of a table, and a row of another."""
  row = lambda path, name: w(f'{path}/{name}', 'embedding')[label]
  return lambda path: (1 + row(path, 'gamma'), row(path, 'beta'))


def attention(w, path, x):
  """SAGAN's, of maxima of squares of four."""
  flat = lambda y: y.flatten(2)  # [B, C, N]
  pool = lambda y: F.max_pool2d(y, 2)
  query = flat(conv(w, f'{path}/query', x))
  key = flat(pool(conv(w, f'{path}/key', x)))
  value = flat(pool(conv(w, f'{path}/value', x)))
  weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)  # [B, N, M]
  y = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
  return x + w(path, 'scale') * conv(w, f'{path}/output', y)


def grid(x, rows, columns):
  """[B, H W C] as our dense layer makes it -> [B, C, H, W]."""
  return x.reshape(len(x), rows, columns, -1).permute(0, 3, 1, 2)


def flat(x):
  """[B, C, H, W] -> [B, H W C], as our dense layer takes it."""
  return x.permute(0, 2, 3, 1).flatten(1)


def projected(w, features, label):
  """The logit, and what the label's embedding says of the features."""
  logits = dense(w, 'logits', features)[:, 0]
  return logits + (w('embed', 'embedding')[label] * features).sum(1)
