"""Daily prices of stock indices, of volatility and of oil.

They come with the package arch (https://github.com/bashtage/arch, University of
Illinois/NCSA licence): `pip install 'gan_jax[series]'`. Its files are read, the
package itself is not imported.
"""

import gzip
import importlib.util
import math
import pathlib

import numpy as np

from gan_jax.data import memory, windows
from gan_jax.types import Dataset, UserError

PRICES = ('Open', 'High', 'Low', 'Close')
# Columns of the files; the last one holds what a day closes at.
INDICES = {
  'sp500': PRICES,
  'nasdaq': PRICES,
  'vix': ('vix',),
  'wti': ('DCOILWTICO',),
}
VALUES = ('returns', 'ohlc', 'prices')
# Where no length is given: that of Quant GANs (https://arxiv.org/abs/1907.06673)
# and that of TimeGAN (Yoon et al., NeurIPS 2019).
LENGTHS = {'returns': 127, 'ohlc': 24, 'prices': 24}


def load(
  *,
  split: str = 'train',
  index: str = 'sp500',
  values: str = 'returns',
  length: int = 0,
  stride: int = 1,
  test: float = 0.2,
  scale: str = '',
) -> Dataset:
  """Cuts windows from one index; the last years are the test split.

  Args:
    split: 'train' or 'test'.
    index: 'sp500' or 'nasdaq', 1999 to 2018; 'vix', volatility that options on
      the S&P 500 imply, 2014 to 2018; 'wti', a barrel of oil, 1986 to 2018.
      Days without a price are left out.
    values: 'returns', of the logarithm of the closing price from day to day;
      'ohlc', the logarithms of a day's opening, highest, lowest and closing
      price over the closing price of the day before; 'prices', as they are, of
      which later years lie far above all of the training part.
    length: days of a window; 0 = 127 of returns, 24 of prices.
    stride: days from the beginning of a window to that of the next.
    test: share of the days in the test split.
    scale: 'range', 'deviation' or 'none', see data.windows.dataset; '' =
      deviation, but range of prices.

  Raises:
    UserError: arch is not installed; an option out of range.
  """
  _check(index, values)
  x, columns = _values(_prices(index), values)
  usual = 'range' if values == 'prices' else 'deviation'
  choice = windows.Choice(
    split, length or LENGTHS[values], stride, test, scale or usual
  )
  series = windows.Series([x], columns, f'data.index={index}')
  return windows.dataset(f'stocks_{index}', 'series', series, choice)


def describe(
  *, index: str = 'sp500', values: str = 'returns', length: int = 0
) -> Dataset:
  """What `load` gives, without a price; how many windows is not known."""
  _check(index, values)
  columns = len(INDICES[index]) if values != 'returns' else 1
  shape = (length or LENGTHS[values], columns)
  return memory.described(f'stocks_{index}', 'series', shape, 0)


def _check(index, values):
  for name, value, there in (
    ('index', index, INDICES),
    ('values', values, VALUES),
  ):
    if value not in there:
      raise UserError(f'data.{name}={value!r}: there are {", ".join(there)}.')
  if values == 'ohlc' and INDICES[index] != PRICES:
    raise UserError(f'data.values=ohlc: of {index} there is one price a day.')


def _values(prices, values):
  """([T, C], names) of prices [T, 4], or [T, 1]."""
  is_one = prices.shape[1] == 1
  names = ('price',) if is_one else tuple(map(str.lower, PRICES))
  if values == 'prices':
    return prices, names
  logs = np.log(prices)
  if values == 'returns':
    return np.diff(logs[:, -1:], axis=0), ('log return',)
  return logs[1:] - logs[:-1, 3:], names


def _prices(index):
  """Prices [T, 4] or [T, 1] of an index, oldest first."""
  package = importlib.util.find_spec('arch')
  root = pathlib.Path((package and package.origin) or '').parent
  file = root / 'data' / index / f'{index}.csv.gz'
  if not package or not file.is_file():
    raise UserError(
      "data.name='stocks': its prices come with the package arch:"
      " pip install 'gan_jax[series]', or pip install arch."
    )
  lines = gzip.decompress(file.read_bytes()).decode().splitlines()
  head, *rows = (line.split(',') for line in lines)
  places = [head.index(name) for name in INDICES[index]]
  days = np.array([[_price(row[k]) for k in places] for row in rows])
  return days[np.isfinite(days).all(axis=1)]


def _price(cell):
  """A number; NaN of a day without one, which the files mark by a dot."""
  return math.nan if cell.strip() in ('', '.') else float(cell)
