"""WaveGAN's forward pass beside PyTorch's, with the same weights."""

import jax
import numpy as np
import pytest

from gan_jax.models import wavegan

torch = pytest.importorskip('torch', reason='the extra parity')
SAME = (10, 11)  # moments that TensorFlow pads for 25 taps and a stride of 4


def drawn(variables):
  rng = np.random.default_rng(0)
  draw = lambda a: (0.1 * rng.normal(size=a.shape)).astype(np.float32)
  return jax.tree.map(draw, variables)


def tensor(x):
  return torch.from_numpy(np.ascontiguousarray(x))


def shuffled(x, shift):
  """[C, T] later by `shift`, mirrored at the edge, as PyTorch pads."""
  pads = (shift, 0) if shift > 0 else (0, -shift)
  padded = torch.nn.functional.pad(x[None], pads, mode='reflect')[0]
  return padded[:, : x.shape[1]] if shift > 0 else padded[:, -shift:]


def g_by_torch(params, z, base, widths):
  p = params['params']
  x = tensor(z) @ tensor(p['start']['kernel']) + tensor(p['start']['bias'])
  x = x.reshape(len(z), base, widths[0]).transpose(1, 2)  # [B, C, T]
  for i in range(len(widths)):
    own = p[f'up_{i}']
    # Ours does not mirror the kernel, theirs does.
    kernel = own['kernel'][::-1, 0].transpose(1, 2, 0)  # [C, O, taps]
    x = torch.nn.functional.conv_transpose1d(
      torch.relu(x), tensor(kernel), tensor(own['bias']), stride=4
    )
    x = x[:, :, SAME[0] : -SAME[1]]
  return torch.tanh(x).transpose(1, 2).numpy()


def d_by_torch(params, x, shifts):
  p = params['params']
  x = tensor(x).transpose(1, 2)
  for i in range(len(shifts) + 1):
    own = p[f'down_{i}']
    kernel = tensor(own['kernel'][:, 0].transpose(2, 1, 0))  # [O, C, taps]
    x = torch.nn.functional.pad(x, SAME)
    x = torch.nn.functional.conv1d(x, kernel, tensor(own['bias']), stride=4)
    x = torch.nn.functional.leaky_relu(x, 0.2)
    if i < len(shifts):
      moved = zip(x, shifts[i], strict=True)
      x = torch.stack([shuffled(one, int(s)) for one, s in moved])
  flat = x.transpose(1, 2).reshape(len(x), -1)
  logits = p['logits']
  return (flat @ tensor(logits['kernel']) + tensor(logits['bias'])).numpy()


def test_a_generator_is_pytorchs():
  g = wavegan.Generator(shape=(1024, 1), widths=(12, 8, 6))
  z = np.random.default_rng(1).uniform(-1, 1, (3, 20)).astype(np.float32)
  params = drawn(g.init(jax.random.key(0), z, train=False))
  ours = g.apply(params, z, train=False)
  theirs = g_by_torch(params, z, 16, (12, 8, 6))
  np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
  assert np.abs(theirs).mean() > 0.01


def test_a_discriminator_is_pytorchs_with_its_shifts():
  d = wavegan.Discriminator(widths=(6, 8, 12))
  rng = np.random.default_rng(1)
  x = rng.uniform(-1, 1, (4, 1024, 1)).astype(np.float32)
  draws = rng.uniform(size=(4, 2, 16)).astype(np.float32)
  params = drawn(d.init(jax.random.key(0), x, train=False))
  ours = d.apply(params, (x, draws), train=False)
  shifts = np.floor(5 * draws[:, 0, :2]).astype(int).T - 2  # [layers, B]
  theirs = d_by_torch(params, x, shifts)[:, 0]
  np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
  assert np.abs(theirs - d_by_torch(params, x, 0 * shifts)[:, 0]).max() > 1e-3
