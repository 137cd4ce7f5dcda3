"""Orthogonal wavelets, as constants of NumPy.

Daubechies 1992, Ten Lectures on Wavelets: the least asymmetric one with six
vanishing moments (Table 6.3, scaled to a sum of sqrt 2) and the one with two,
whose taps have a closed form.
"""

import numpy as np

SYM6 = np.array(
  [
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057,
    -0.048311742585633, 0.4910559419267466, 0.787641141030194,
    0.3379294217276218, -0.07263752278646252, -0.021060292512300564,
    0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
  ]
)  # fmt: skip
_ROOT = np.sqrt(3.0)
SYM2 = np.array([1 - _ROOT, 3 - _ROOT, 3 + _ROOT, 1 + _ROOT]) / (4 * 2**0.5)


def bands(count: int = 4) -> np.ndarray:
  """Zero-phase filters that split a signal into octaves and add up to it.

  Args:
    count: of the bands.

  Returns:
    [count, N] taps, the lowest octave first; N = 43 for four.
  """
  high = SYM2 * (-1.0) ** np.arange(len(SYM2))
  low, high = (np.convolve(h, h[::-1]) / 2 for h in (SYM2, high))
  made = np.eye(count, 1)
  for i in range(1, count):
    spread = np.zeros((count, 2 * made.shape[1] - 1))
    spread[:, ::2] = made  # the spectrum, half as wide
    made = np.stack([np.convolve(row, low) for row in spread])
    middle = (made.shape[1] - len(high)) // 2
    made[i, middle : middle + len(high)] += high
  return made
