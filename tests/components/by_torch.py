"""What tests beside PyTorch share: the same numbers in both, compared."""

import jax
import numpy as np

TOLERANCE = 1e-4  # relative to the largest number of an array


def drawn(shapes, seed=0, scale=0.5):
  """Any numbers in the shapes of a tree."""
  rng = np.random.default_rng(seed)
  draw = lambda a: (scale * rng.normal(size=a.shape)).astype(np.float32)
  return jax.tree.map(draw, shapes)


def tensors(torch, tree):
  """A tree of arrays as tensors whose gradients are wanted."""
  make = lambda x: torch.tensor(np.asarray(x), requires_grad=True)
  return jax.tree.map(make, tree)


def assert_alike(ours, theirs, what=''):
  """Two trees of arrays are equal, each array by its own largest number."""
  paths = jax.tree_util.tree_leaves_with_path(ours)
  for (path, a), b in zip(paths, jax.tree.leaves(theirs), strict=True):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    error = np.abs(a - b).max() / max(np.abs(b).max(), 1e-6)
    where = f'{what}{jax.tree_util.keystr(path)}: {error}'
    assert error < TOLERANCE, where


def assert_same_network(torch, ours, theirs, params, *inputs):
  """Outputs, and gradients of a sum of theirs, are those of PyTorch.

  Args:
    torch: the package.
    ours: (params, *inputs) -> array.
    theirs: the same of tensors.
    params: tree of arrays.
    *inputs: trees of arrays.
  """
  like = jax.eval_shape(ours, params, *inputs).shape
  weights = np.random.default_rng(9).normal(size=like).astype(np.float32)

  def total(*args):
    out = ours(*args)
    return (weights * out).sum(), out

  every = tuple(range(1 + len(inputs)))
  run = jax.jit(jax.value_and_grad(total, every, has_aux=True))
  (_, out), slopes = run(params, *inputs)
  given = tensors(torch, (params, *inputs))
  made = theirs(*given)
  (torch.from_numpy(weights) * made).sum().backward()
  assert_alike(out, made.detach())
  zero = lambda x: x.grad if x.grad is not None else torch.zeros_like(x)
  assert_alike(slopes, jax.tree.map(zero, given), 'gradient of ')
  assert np.abs(out).max() > 1e-2
