"""Daily prices of the S&P 500 and the NASDAQ Composite, 1999 to 2018.

They come with the package arch (https://github.com/bashtage/arch, University of
Illinois/NCSA licence), which has them from Yahoo Finance: `pip install
'gan_jax[series]'`. Its files are read, the package itself is not imported.
"""

import gzip
import importlib.util
import io
import pathlib

import numpy as np

from gan_jax.data import windows
from gan_jax.types import Dataset, UserError

INDICES = ('sp500', 'nasdaq')
VALUES = ('returns', 'ohlc', 'prices')
PRICES = ('Open', 'High', 'Low', 'Close')
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
    index: 'sp500' or 'nasdaq'.
    values: 'returns', of the logarithm of the closing price from day to day;
      'ohlc', the logarithms of a day's opening, highest, lowest and closing
      price over the closing price of the day before; 'prices', these four as
      they are, of which later years lie far above all of the training part.
    length: days of a window; 0 = 127 of returns, 24 of prices.
    stride: days from the beginning of a window to that of the next.
    test: share of the days in the test split.
    scale: 'range', 'deviation' or 'none', see data.windows.dataset; '' =
      deviation, but range of prices.

  Raises:
    UserError: arch is not installed; an option out of range.
  """
  for name, value, there in (
    ('index', index, INDICES),
    ('values', values, VALUES),
  ):
    if value not in there:
      raise UserError(f'data.{name}={value!r}: there are {", ".join(there)}.')
  x, columns = _values(_prices(index), values)
  usual = 'range' if values == 'prices' else 'deviation'
  choice = windows.Choice(
    split, length or LENGTHS[values], stride, test, scale or usual
  )
  series = windows.Series([x], columns, f'data.index={index}')
  return windows.dataset(f'stocks_{index}', 'series', series, choice)


def _values(prices, values):
  """([T, C], names) of prices [T, 4]."""
  names = tuple(name.lower() for name in PRICES)
  if values == 'prices':
    return prices, names
  logs = np.log(prices)
  if values == 'returns':
    return np.diff(logs[:, 3:], axis=0), ('log return',)
  return logs[1:] - logs[:-1, 3:], names


def _prices(index):
  """Prices [T, 4] of an index, oldest first."""
  package = importlib.util.find_spec('arch')
  root = pathlib.Path((package and package.origin) or '').parent
  file = root / 'data' / index / f'{index}.csv.gz'
  if not package or not file.is_file():
    raise UserError(
      "data.name='stocks': its prices come with the package arch:"
      " pip install 'gan_jax[series]', or pip install arch."
    )
  text = gzip.decompress(file.read_bytes()).decode()
  head = text.partition('\n')[0].strip().split(',')
  places = [head.index(name) for name in PRICES]
  return np.loadtxt(
    io.StringIO(text), delimiter=',', skiprows=1, usecols=places
  )
