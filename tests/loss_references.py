"""Losses written a second time, in float64 NumPy, from their papers.

A loss that ships has a formula in REFERENCES and a line in FROZEN, both written
without looking at its code; its options go to VARIANTS.
"""

import numpy as np


def sp(x):
  return np.logaddexp(0.0, x)


def relu(x):
  return np.maximum(x, 0.0)


# The references, in float64: (real, fake) -> D's loss, G's loss, each [B].


def cross_entropy(real, fake, smoothing=0.0):
  on_real = (1 - smoothing) * sp(-real) + smoothing * sp(real)
  return on_real + sp(fake), sp(-fake)


def minimax(real, fake, smoothing=0.0):
  return cross_entropy(real, fake, smoothing)[0], -sp(fake)


def lsgan(real, fake, a=0, b=1, c=1, scale=0.5):
  return scale * ((real - b) ** 2 + (fake - a) ** 2), scale * (fake - c) ** 2


def wasserstein(real, fake):
  return fake - real, -fake


def hinge(real, fake):
  return relu(1 - real) + relu(1 + fake), -fake


def rpgan(real, fake):
  return sp(-(real - fake)), sp(-(fake - real))


def ragan(real, fake, smoothing=0.0, scale=1.0):
  r, f = real - fake.mean(), fake - real.mean()
  d = (1 - smoothing) * sp(-r) + smoothing * sp(r) + sp(f)
  return scale * d, scale * (sp(r) + sp(-f))


def ralsgan(real, fake, scale=0.5):
  r, f = real - fake.mean(), fake - real.mean()
  return (
    scale * ((r - 1) ** 2 + (f + 1) ** 2),
    scale * ((r + 1) ** 2 + (f - 1) ** 2),
  )


def rahinge(real, fake, scale=0.5):
  r, f = real - fake.mean(), fake - real.mean()
  return (
    scale * (relu(1 - r) + relu(1 + f)),
    scale * (relu(1 + r) + relu(1 - f)),
  )


# Divergence: f(u), g_f(v), f*(t). The pairs are composed numerically here.
F_TABLE = {
  'kl': (lambda u: u * np.log(u), lambda v: v, lambda t: np.exp(t - 1)),
  'reverse_kl': (
    lambda u: -np.log(u),
    lambda v: -np.exp(-v),
    lambda t: -1 - np.log(-t),
  ),
  'pearson': (lambda u: (u - 1) ** 2, lambda v: v, lambda t: t**2 / 4 + t),
  'neyman': (
    lambda u: (1 - u) ** 2 / u,
    lambda v: 1 - np.exp(-v),
    lambda t: 2 - 2 * np.sqrt(1 - t),
  ),
  'squared_hellinger': (
    lambda u: (np.sqrt(u) - 1) ** 2,
    lambda v: 1 - np.exp(-v),
    lambda t: t / (1 - t),
  ),
  'jensen_shannon': (
    lambda u: u * np.log(u) - (u + 1) * np.log((1 + u) / 2),
    lambda v: np.log(2) - np.log(1 + np.exp(-v)),
    lambda t: -np.log(2 - np.exp(t)),
  ),
  'gan': (
    lambda u: u * np.log(u) - (u + 1) * np.log(1 + u),
    lambda v: -np.log(1 + np.exp(-v)),
    lambda t: -np.log(1 - np.exp(t)),
  ),
}


def fgan(real, fake, divergence='jensen_shannon', generator='alternative'):
  _, g, conjugate = F_TABLE[divergence]
  minimax_g, alternative_g = -conjugate(g(fake)), -g(fake)
  g_loss = minimax_g if generator == 'minimax' else alternative_g
  return conjugate(g(fake)) - g(real), g_loss


def softmax(real, fake):
  """What the logarithm of each sample's share of one is, by the largest."""
  both = np.concatenate([real, fake])
  log_p = both - both.max() - np.log(np.exp(both - both.max()).sum())
  on_real, on_fake = np.split(log_p, 2)
  return -on_real, -(on_real + on_fake) / 2


REFERENCES = {
  'cross_entropy': cross_entropy,
  'fgan': fgan,
  'hinge': hinge,
  'lsgan': lsgan,
  'minimax': minimax,
  'nonsaturating': cross_entropy,
  'ragan': ragan,
  'rahinge': rahinge,
  'ralsgan': ralsgan,
  'rpgan': rpgan,
  'softmax': softmax,
  'wasserstein': wasserstein,
}

# By hand at real = (0, 2), fake = (0, -1), defaults: D's loss, G's loss.
FROZEN = {
  'cross_entropy': ([1.386294, 0.440190], [0.693147, 1.313262]),
  'fgan': ([0.0, -0.946104], [0.0, 0.620115]),
  'hinge': ([2.0, 0.0], [0.0, 1.0]),
  'lsgan': ([0.5, 1.0], [0.5, 2.0]),
  'minimax': ([1.386294, 0.440190], [-0.693147, -0.313262]),
  'nonsaturating': ([1.386294, 0.440190], [0.693147, 1.313262]),
  'ragan': ([0.787339, 0.205817], [2.287339, 4.705817]),
  'rahinge': ([0.25, 0.0], [1.75, 3.25]),
  'ralsgan': ([0.125, 1.625], [3.125, 10.625]),
  'rpgan': ([0.693147, 0.048587], [0.693147, 3.048587]),
  'softmax': ([2.277978, 0.277978], [2.277978, 1.777978]),
  'wasserstein': ([0.0, -3.0], [0.0, 1.0]),
}

# Options that are tried beside every loss's defaults.
VARIANTS = [
  ('cross_entropy', {'smoothing': 0.1}),
  ('nonsaturating', {'smoothing': 0.25}),
  ('minimax', {'smoothing': 0.1}),
  ('ragan', {'smoothing': 0.2, 'scale': 0.5}),
  ('ralsgan', {'scale': 1.0}),
  ('rahinge', {'scale': 1.0}),
  ('lsgan', {'a': -1.0, 'b': 1.0, 'c': 0.0}),
  ('lsgan', {'scale': 1.0}),
] + [
  ('fgan', {'divergence': divergence, 'generator': generator})
  for divergence in F_TABLE
  for generator in ('minimax', 'alternative')
]
