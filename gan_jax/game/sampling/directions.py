"""Directions of latents along which samples change most."""

import numpy as np


def sefa(weights) -> tuple[np.ndarray, np.ndarray]:
  """Closed-form directions of the first layer that a latent meets.

  Shen and Zhou 2021, https://arxiv.org/abs/2007.06600, equation 4: eigenvectors
  of A A^T. As in the authors' code each column of A is scaled to length 1.

  Args:
    weights: A, [Z, F]: a latent z becomes z A.

  Returns:
    (directions [K, Z] of length 1, the strongest first, their eigenvalues
    [K]); the largest number of each is positive. K is Z, or F if that is less.
  """
  a = np.asarray(weights, np.float64)
  length = np.linalg.norm(a, axis=0, keepdims=True)
  u, s, _ = np.linalg.svd(
    a / np.where(length > 0, length, 1), full_matrices=False
  )
  return signed(u.T), s**2


def pca(points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Principal components.

  Of the styles w of many latents: GANSpace, Harkonen et al. 2020, section 2.1
  (https://arxiv.org/abs/2004.02546).

  Args:
    points: [N, D], N above D for all of them.

  Returns:
    (directions [K, D] of length 1, the widest first, deviations [K] along them,
    the mean [D]).
  """
  points = np.asarray(points, np.float64)
  mean = points.mean(0)
  _, s, v = np.linalg.svd(points - mean, full_matrices=False)
  return signed(v), s / np.sqrt(max(len(points) - 1, 1)), mean


def pca_of_features(z, features) -> tuple[np.ndarray, np.ndarray]:
  """Directions of latents that move along the components of their features.

  GANSpace, section 2.2: the latents are regressed on the coordinates of the
  features, component by component.

  Args:
    z: latents [N, Z].
    features: of the same [N, F].

  Returns:
    (directions [K, Z] of length 1, deviations [K] of the features).
  """
  axes, deviations, mean = pca(features)
  known = deviations > 1e-6 * deviations[0]
  axes, deviations = axes[known], deviations[known]
  at = (np.asarray(features, np.float64) - mean) @ axes.T / deviations  # [N, K]
  u = np.linalg.lstsq(at, np.asarray(z, np.float64), rcond=None)[0]  # [K, Z]
  return u / np.linalg.norm(u, axis=1, keepdims=True), deviations


def signed(directions) -> np.ndarray:
  """Directions [K, Z], each turned so that its largest number is positive."""
  rows = np.arange(len(directions))
  largest = directions[rows, np.abs(directions).argmax(1)]
  return directions * np.where(largest < 0, -1, 1)[:, None]
