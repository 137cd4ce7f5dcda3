"""StyleGAN3 beside a network of PyTorch with the same weights."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal, special

from gan_jax.models import stylegan3
from tests.components import by_torch
from tests.components.styles_by_torch import (
  CLASSES,
  F,
  drawn,
  grouped,
  leaky,
  linear,
  mapped,
  torch,
)

SIZE, LAYERS, MARGIN, TAPS = 16, 4, 2, 6
LABEL = np.array([2, 0])
SMALL = {
  'channel_base': 64,
  'channel_max': 4,
  'features': 6,
  'layers': LAYERS,
  'margin': MARGIN,
}
# The paper's table, of the input and four layers; the image's is the last's.
EXPONENT = np.minimum(np.arange(LAYERS + 1) / (LAYERS - 2), 1)
CUTOFF = 2 * (SIZE / 4) ** EXPONENT
STOPBAND = 2**2.1 * (SIZE / 2 * 2**0.3 / 2**2.1) ** EXPONENT
RATE = 2 ** np.ceil(np.log2(np.minimum(2 * STOPBAND, SIZE))).astype(int)
WIDTH = 2 * (np.maximum(STOPBAND, RATE / 2) - CUTOFF)
GRID = [*(RATE[:-2] + 2 * MARGIN), SIZE, SIZE]


def low_pass(i, taps, rate, radial):
  """A plane of taps of the i-th band."""
  if not radial:
    line = signal.firwin(taps, cutoff=CUTOFF[i], width=WIDTH[i], fs=rate)
    return np.outer(line, line)
  x = (np.arange(taps) - (taps - 1) / 2) / rate
  r = np.hypot(*np.meshgrid(x, x))
  plane = special.j1(2 * CUTOFF[i] * np.pi * r) / (np.pi * r)
  beta = signal.kaiser_beta(signal.kaiser_atten(taps, WIDTH[i] / (rate / 2)))
  window = np.kaiser(taps, beta)
  plane = plane * np.outer(window, window)
  return plane / plane.sum()


def filtered(x, plane, up=1, pads=(0, 0)):
  """Zeros between the places, pads, then a convolution with a plane of taps."""
  b, c, h, w = x.shape
  fine = torch.zeros(b, c, up * h, up * w, dtype=x.dtype)
  fine[:, :, ::up, ::up] = x
  (lo, hi), kernel = pads, torch.tensor(up**2 * plane, dtype=x.dtype)
  fine = F.pad(fine, (lo, hi, lo, hi)).reshape(b * c, 1, up * h + lo + hi, -1)
  y = F.conv2d(fine, kernel[None, None])
  return y.reshape(b, c, *y.shape[2:])


def fourier(p, w, frequencies, phases):
  t = linear(p['affine'], w)
  t = t / torch.sqrt(t[:, :1] ** 2 + t[:, 1:2] ** 2)
  places = (torch.arange(GRID[0]) - (GRID[0] - 1) / 2) / RATE[0]
  y, x = torch.meshgrid(places, places, indexing='ij')
  out = []
  for cos, sin, tx, ty in t:
    turn = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    turned = frequencies @ turn  # [C, 2]
    angle = phases - turned @ torch.stack([tx, ty])
    angle = angle + x[..., None] * turned[:, 0] + y[..., None] * turned[:, 1]
    length = torch.sqrt((turned**2).sum(1))
    damp = 1 - (length - CUTOFF[0]) / (RATE[0] / 2 - CUTOFF[0])
    out.append(torch.sin(2 * np.pi * angle) * damp.clamp(0, 1))
  mixed = torch.stack(out) @ p['kernel'] / math.sqrt(len(phases))
  return mixed.permute(0, 3, 1, 2)


def layer(p, x, w, i, rotation, magnitude):
  before = max(i - 1, 0)
  x = x / math.sqrt(magnitude)
  style = linear(p['affine'], w)
  bias = p['bias'][:, None, None]
  if i == LAYERS:
    style = style / math.sqrt(x.shape[1])
    own = {'padding': 0, 'demodulate': False}
    return grouped(p['kernel'], style, x, **own) + bias
  size = 1 if rotation else 3
  x = grouped(p['kernel'], style, x, padding=size - 1) + bias
  rate = 2 * max(RATE[before], RATE[i])
  up, down = rate // RATE[before], rate // RATE[i]
  total = (GRID[i] - 1) * down + 1 - x.shape[-1] * up + TAPS * (up + down) - 2
  pads = (total + up) // 2, total - (total + up) // 2
  up_taps = low_pass(before, TAPS * up, rate, False)
  x = leaky(filtered(x, up_taps, up, pads))
  radial = rotation and i < LAYERS - 2
  x = filtered(x, low_pass(i, TAPS * down, rate, radial))
  return x[..., ::down, ::down]


@pytest.mark.slow
@pytest.mark.parametrize('rotation', [False, True])
def test_a_generator_is_pytorchs(rotation):
  g = stylegan3.Generator(
    shape=(SIZE, SIZE, 3), num_classes=CLASSES, rotation=rotation, **SMALL
  )
  z = by_torch.drawn(jnp.zeros((2, 5)), seed=3, scale=1.0)
  variables = jax.jit(lambda z: g.init(jax.random.key(0), z, LABEL, train=True))
  variables = dict(jax.device_get(variables(z)))
  params = drawn(variables.pop('params'))
  fixed = variables['fourier']['synthesis']['input']
  fixed = [torch.tensor(fixed[k]) for k in ('frequencies', 'phases')]
  kept = variables['averages']['synthesis']
  for i in range(LAYERS + 1):
    kept[f'layer_{i}']['magnitude']['value'] = np.float32(1 + i / 2)

  def theirs(params, z):
    w = mapped(params['mapping'], LABEL, z)
    p = params['synthesis']
    x = fourier(p['input'], w, *fixed)
    for i in range(LAYERS + 1):
      x = layer(p[f'layer_{i}'], x, w, i, rotation, 1 + i / 2)
    return 0.25 * x.permute(0, 2, 3, 1)

  def ours(params, z):
    return g.apply({'params': params, **variables}, z, LABEL, train=False)

  by_torch.compare(ours, theirs, params, z)
