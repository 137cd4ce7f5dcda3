"""Where an axis has its marks: round numbers."""

import math


def even(low: float, high: float, count: int = 5) -> list[float]:
  """Round numbers from low to high, about `count` of them."""
  raw = (high - low) / count
  unit = 10.0 ** math.floor(math.log10(raw))
  step = unit * next(m for m in (1, 2, 5, 10) if m * unit >= raw * 0.75)
  first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
  return [k * step for k in range(first, last + 1)]


def log(low: float, high: float) -> list[float]:
  """Powers of ten from low to high; with 2 and 5 times where these are few."""
  decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
  for factors in ((1,), (1, 3), (1, 2, 5)):
    chosen = [m * 10.0**k for k in decades for m in factors]
    chosen = [tick for tick in chosen if low <= tick <= high]
    if len(chosen) >= 3:
      break
  return chosen[:: math.ceil(len(chosen) / 5)]
