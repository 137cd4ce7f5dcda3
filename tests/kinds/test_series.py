"""Series: their scale, curves, files."""

import csv

import jax
import numpy as np
import PIL.Image
import pytest

from gan_jax.data import kinds, loading, memory
from gan_jax.kinds import series
from gan_jax.types import UserError

UNITS = {'columns': ['open', 'volume'], 'low': [10.0, 0.0], 'high': [30.0, 1e6]}


def prices(n=5):
  rng = np.random.default_rng(0)
  x = np.stack([rng.uniform(10, 30, (n, 7)), rng.uniform(0, 1e6, (n, 7))], -1)
  return memory.from_arrays('own', 'series', x.astype(np.float32), about=UNITS)


def test_columns_lie_between_their_own_ends():
  data = prices()
  raw = data.read(np.arange(5))['x']
  x = np.asarray(kinds.in_model_range(data, raw))
  np.testing.assert_allclose(x[..., 0], (raw[..., 0] - 20) / 10, atol=1e-6)
  np.testing.assert_allclose(x[..., 1], raw[..., 1] / 5e5 - 1, atol=1e-6)
  # In a step, of several batches, where JAX adds no axes by itself.
  traced = jax.jit(lambda raw: kinds.in_model_range(data, raw))(raw[None])
  np.testing.assert_allclose(traced[0], x, atol=1e-6)
  back = series.from_model_range(x, dataset=data)
  np.testing.assert_allclose(back, raw, rtol=1e-5, atol=0.1)


def test_a_file_has_a_row_for_each_moment_in_the_units_of_the_data(tmp_path):
  data = prices()
  raw = data.read(np.arange(5))['x']
  x = np.asarray(kinds.in_model_range(data, raw))
  series.export(tmp_path / 'a.csv', x, dataset=data, labels=list('aabbc'))
  with (tmp_path / 'a.csv').open(newline='') as file:
    head, *rows = csv.reader(file)
  assert head == ['series', 'time', 'class', 'open', 'volume']
  assert len(rows) == 5 * 7 and rows[8][:3] == ['1', '1', 'a']
  values = np.array([row[3:] for row in rows], np.float32).reshape(5, 7, 2)
  np.testing.assert_allclose(values, raw, rtol=1e-5, atol=0.1)
  series.export(tmp_path / 'b.csv', x[..., :1])
  assert (tmp_path / 'b.csv').read_text().startswith('series,time,value\n')


def test_curves_are_on_the_axes_of_the_data():
  data = prices()
  flat = np.zeros((2, 7, 2), np.float32)
  wild = flat + np.float32(50)  # beyond all that the data know
  size = [series.picture(x, dataset=data).size for x in (flat, wild)]
  assert size[0] == size[1] == (600, 150)
  assert series._limits(wild, data) == series._limits(flat, data)
  assert series._limits(wild, None) == pytest.approx((50, 50), abs=1e-6)


def test_the_axes_reach_as_far_as_the_data():
  about = {'low': [-1.0], 'high': [1.0], 'least': [-9.0], 'most': [5.0]}
  x = np.zeros((4, 3, 1), np.float32)
  data = memory.from_arrays('own', 'series', x, about=about)
  low, high = series._limits(x, data)
  assert (low, high) == pytest.approx((-9 - 0.08 * 14, 5 + 0.08 * 14))


def test_columns_of_unlike_units_share_no_numbers():
  data = prices()
  values = data.read(np.arange(5))['x']
  made, limits, note = series._on_one_axis(values, data)
  np.testing.assert_allclose(
    made[..., 0], (values[..., 0] - 10) / 20, atol=1e-6
  )
  np.testing.assert_allclose(made[..., 1], values[..., 1] / 1e6, atol=1e-6)
  assert note and limits == (-0.08, 1.08)
  like = memory.from_arrays('own', 'series', values, about=None)
  assert series._on_one_axis(values[..., :1], like)[2] == ''
  # In a terminal each curve has its own heights.
  up = np.linspace([[-1, -1]], [[1, 1]], 8, axis=1).astype(np.float32)
  one, other = series.lines(up, dataset=data)
  assert one == other == '▁▂▃▄▅▆▇█'


def test_many_columns_are_a_row_for_each_moment():
  digit = np.full((1, 7, 28), -1, np.float32)
  digit[0, :2] = 1  # the first moments, which are above
  made = np.asarray(series.picture(digit))[..., 0].astype(int)
  panel = made[40:124, 55:200]
  assert panel[:15].min() > 200 and panel[-40:].max() < 60


@pytest.mark.parametrize('n, height', [(1, 150), (3, 150), (4, 300)])
def test_three_panels_are_a_row(n, height):
  x = np.zeros((n, 4, 1), np.float32)
  made = series.picture(x, labels=['$a_b$'] * n)  # no mathematics
  assert isinstance(made, PIL.Image.Image) and made.size == (600, height)


def test_a_rising_curve_rises_in_a_terminal():
  x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(1, 8, 1)
  (line,) = series.lines(x)
  assert list(line) == sorted(line) and len(line) == 8
  assert series.lines(x, labels=['up']) == ['up', line]


def test_sines_are_what_the_paper_says():
  data, unseen = loading.load('sines'), loading.load('sines', split='test')
  x = loading.arrays(data)['x']
  assert x.shape == (14_000, 30, 1) and unseen.shape == (30, 1)
  assert unseen.size == 2800 and data.fingerprint != unseen.fingerprint
  # A wave's height is that of its analytic signal where periods are whole.
  assert 0.85 < np.abs(x).max() <= 0.9
  heights = np.abs(x).max(axis=(1, 2))
  assert 0.1 * 0.6 < heights.min() and heights.mean() == pytest.approx(0.5, 0.1)
  power = np.abs(np.fft.rfft(x[..., 0], axis=1)) ** 2
  strongest = power.argmax(axis=1)
  assert 1 <= strongest.min() and strongest.max() <= 5
  seen = np.asarray(kinds.in_model_range(data, x[:9]))
  np.testing.assert_allclose(seen, x[:9] / 0.9, atol=1e-6)


def test_sines_of_several_channels_and_another_draw():
  load = lambda **given: loading.arrays(loading.load('sines', **given))['x']
  x = load(channels=3, size=50, length=12)
  assert x.shape == (50, 12, 3)
  assert abs(np.corrcoef(x.reshape(-1, 3).T)[0, 1]) < 0.2
  assert (x != load(channels=3, size=50, length=12, data_seed=1)).any()


@pytest.mark.parametrize(
  'wrong, line',
  [
    ({'split': 'val'}, "data.split='val': there are train, test"),
    ({'size': 0}, 'data.size=0: expected 1'),
    ({'length': 1}, 'data.length=1: expected 2'),
    ({'channels': 0}, 'data.channels=0'),
    ({'data_seed': -1}, 'data.data_seed=-1'),
    ({'window': 3}, 'data.window: unknown; sines takes split, size'),
  ],
)
def test_wrong_options(wrong, line):
  with pytest.raises(UserError, match=line):
    loading.load('sines', **wrong)
