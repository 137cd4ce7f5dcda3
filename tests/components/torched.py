"""Ours beside PyTorch's: outputs, and gradients of both weights and inputs."""

import jax
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the extra parity')


def drawn(net, *inputs, spread=0.3):
  """Parameters of a network, all of them random."""
  init = lambda key: net.init(key, *inputs, train=True)['params']
  rng = np.random.default_rng(0)
  draw = lambda a: (spread * rng.normal(size=a.shape)).astype(np.float32)
  return jax.tree.map(draw, jax.eval_shape(init, jax.random.key(0)))


def tensor(x):
  """A NumPy array as a leaf of PyTorch's."""
  return torch.from_numpy(np.array(x)).requires_grad_()


def compare(ours, theirs, params, x):
  """Outputs, and gradients of their inner product with random numbers.

  Args:
    ours: (params, x) -> output, in JAX.
    theirs: the same in PyTorch.
    params: of both.
    x: their input.
  """
  weigh = np.random.default_rng(2).normal(
    size=jax.eval_shape(ours, params, x).shape
  )
  weigh = weigh.astype(np.float32)

  def total(params, x):
    y = ours(params, x)
    return (y * weigh).sum(), y

  slopes = jax.jit(jax.grad(total, (0, 1), has_aux=True))
  (d_params, d_x), y = slopes(params, x)
  p, z = jax.tree.map(tensor, params), tensor(x)
  out = theirs(p, z)
  (out * torch.from_numpy(weigh)).sum().backward()
  same(y, out.detach())
  same(d_x, z.grad)
  jax.tree.map(lambda a, b: same(a, b.grad), d_params, p)


def same(ours, theirs):
  """To 1e-4 of the largest number; and there is something to compare."""
  size = np.abs(theirs.numpy()).max()
  assert size > 0
  np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-4 * size)
