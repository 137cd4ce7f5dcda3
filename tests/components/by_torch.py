"""What tests beside PyTorch share: the same numbers in both, compared.

PyTorch computes in float64, so that what differs is our own rounding.
Images are [B, C, H, W] in PyTorch. Every weight keeps our layout there, so that
gradients can be compared leaf by leaf. Where the benchmarks train a network in
PyTorch it is that one, of experiments/benchmarks/torch_networks.
"""

import importlib

import jax
import numpy as np
import pytest

from tests.components import frozen

torch = pytest.importorskip('torch', reason='the extra parity')
F = torch.nn.functional
TOLERANCE = 1e-4  # relative to the largest number of an array
# What is zero without rounding, as is a bias's gradient before a norm, is with
# it a sum of thousands of float32 that cancel: of the largest number of all.
ZERO, ROUNDING = 1e-12, 16 * np.finfo(np.float32).eps


def networks(name):
  """A file of the networks that the benchmarks train, too."""
  return importlib.import_module(
    f'experiments.benchmarks.torch_networks.{name}'
  )


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
  """A tree of arrays as float64 tensors whose gradients are wanted."""
  make = lambda x: torch.tensor(np.float64(x), requires_grad=True)
  return jax.tree.map(make, tree)


def compare(ours, theirs, params, *inputs):
  """Outputs, and gradients of their product with random numbers, are alike.

  Args:
    ours: (params, *inputs) -> array, in JAX.
    theirs: the same of tensors.
    params: tree of arrays.
    *inputs: trees of arrays.

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
  (torch.tensor(np.float64(weights)) * made).sum().backward()
  made = made.detach().numpy()
  alike(out, made)
  zero = lambda x: x.grad if x.grad is not None else torch.zeros_like(x)
  grads = jax.tree.map(lambda x: zero(x).numpy(), given)
  most = max(np.abs(g).max() for g in jax.tree.leaves(grads))
  alike(slopes, grads, 'gradient of ', most=most)
  assert np.abs(made).max() > 1e-2 and most > 1e-2
  return made


def alike(ours, theirs, what='', *, most=0.0):
  """Two trees of arrays are equal, each array by its own largest number.

  Args:
    ours: of float32.
    theirs: of float64.
    what: they are.
    most: the largest number of all; an array may be zero beside it.
  """
  paths = jax.tree_util.tree_leaves_with_path(ours)
  for (path, a), b in zip(paths, jax.tree.leaves(theirs), strict=True):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    largest = np.abs(b).max()
    zero = largest < ZERO * most
    allowed = ROUNDING * most if zero else TOLERANCE * max(largest, 1e-6)
    error = np.abs(a - b).max()
    assert error < allowed, f'{what}{jax.tree_util.keystr(path)}: {error}'


def compare_frozen(case, network):
  """The same of a network of frozen.CASES, and its figures.

  Args:
    case: of frozen.CASES.
    network: (weights, x, label) -> tensor; images are [B, C, H, W].
  """
  variables, x, run = frozen.begun(case)
  kept = variables.get('spectral', {})
  spectral = jax.tree.map(lambda a: torch.tensor(np.float64(a)), kept)

  def theirs(params, x):
    x = x.permute(0, 3, 1, 2) if x.ndim == 4 else x
    w = networks('weights').Weights(params, spectral)
    y = network(w, x, torch.tensor(frozen.LABEL))
    return y.permute(0, 2, 3, 1) if y.ndim == 4 else y

  made = compare(run, theirs, variables['params'], x)
  np.testing.assert_allclose(frozen.figures(made), case.figures, 1e-3, 1e-4)
