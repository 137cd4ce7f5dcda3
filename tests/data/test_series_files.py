"""Series from files: windows, their split and scale, columns, classes."""

import importlib.util

import numpy as np
import pytest

from gan_jax.data import kinds, loading
from gan_jax.datasets import stocks, tfds_images
from gan_jax.kinds import series
from gan_jax.types import UserError
from tests import tiny_data


def write(path, x, head=None):
  lines = [','.join(map(str, row)) for row in np.asarray(x).tolist()]
  path.write_text('\n'.join(([head] if head else []) + lines) + '\n')
  return str(path)


def both(path, **given):
  """The arrays of the two splits, and the training part itself."""
  load = lambda split: loading.load('table', path=path, split=split, **given)
  train, test = load('train'), load('test')
  return loading.arrays(train)['x'], loading.arrays(test)['x'], train


def test_windows_of_a_long_series(tmp_path):
  x = np.stack([np.arange(50), 100 - np.arange(50) ** 2], 1)
  path = write(tmp_path / 'own.csv', x, 'time of day,"height, m"')
  train, test, data = both(path, length=7, stride=3)
  assert data.name == 'own' and data.kind == 'series' and data.shape == (7, 2)
  assert train.shape == (12, 7, 2) and test.shape == (2, 7, 2)
  for k, window in enumerate(train):
    np.testing.assert_array_equal(window, x[3 * k : 3 * k + 7])
  # No window holds moments of both parts.
  assert train[..., 0].max() == 39 and test[..., 0].min() == 40
  assert data.about == {
    'columns': ['time of day', 'height, m'],
    'low': [0, 100 - 39**2],
    'high': [39, 100],
  }
  seen = np.asarray(kinds.in_model_range(data, train))
  assert seen.min() == -1 and seen.max() == 1
  assert len(both(path, length=7)[0]) == 34
  assert both(path, length=7, test=0.5)[0][..., 0].max() == 24


def test_the_scale_is_that_of_the_training_part(tmp_path):
  rng = np.random.default_rng(0)
  x = np.concatenate([rng.normal(3, 2, (400, 1)), rng.normal(90, 9, (100, 1))])
  path = write(tmp_path / 'a.csv', x)
  train, test, data = both(path, length=4, scale='deviation')
  known = x[:400]
  np.testing.assert_allclose(data.about['low'], known.mean() - known.std())
  np.testing.assert_allclose(data.about['high'], known.mean() + known.std())
  assert data.about['least'] == [known.min()]
  np.testing.assert_allclose(
    kinds.in_model_range(data, train),
    (train - known.mean()) / known.std(),
    atol=1e-5,
  )
  load = lambda split: loading.load('table', path=path, length=4, split=split)
  assert load('test').about == load('train').about
  assert load('test').fingerprint != load('train').fingerprint
  plain = loading.load('table', path=path, length=4, scale='none')
  assert plain.about == {'columns': ['1']}


@pytest.mark.parametrize('delimiter', [';', '\t'])
def test_columns_are_chosen_by_name(tmp_path, delimiter):
  rows = [
    'date,open,close',
    *(f'2020-01-{k},{k},{k * k}' for k in range(1, 13)),
  ]
  text = '\ufeff' + '\r\n'.join(rows).replace(',', delimiter) + '\r\n'
  path = tmp_path / 'a.csv'
  path.write_bytes(text.encode())
  for columns, want in (('close, open', [1, 1]), (('close',), [1])):
    train, _, data = both(str(path), length=2, columns=columns)
    assert data.about['columns'] == [c.strip() for c in data.about['columns']]
    assert train[0, 0].tolist() == want and train[1, 1, 0] == 9


def test_returns_are_growths_of_logarithms(tmp_path):
  x = np.exp(np.cumsum(np.random.default_rng(0).normal(size=(60, 2)), 0))
  train, test, _ = both(
    write(tmp_path / 'a.csv', x), length=9, stride=9, returns=True
  )
  made = np.concatenate([train.reshape(-1, 2), test.reshape(-1, 2)])
  want = np.log(x[1:] / x[:-1])
  np.testing.assert_allclose(made[:45], want[:45], rtol=1e-5)
  assert len(train) == 5 and len(test) == 1


def test_many_series_with_classes(tmp_path):
  x = np.random.default_rng(0).normal(size=(20, 6, 2)).astype(np.float32)
  labels = np.array(['up', 'down'] * 10)
  np.savez(tmp_path / 'a.npz', x=x, label=labels, columns=['p', 'q'])
  load = lambda path, split='train', **given: loading.load(
    'table', path=str(tmp_path / path), split=split, **given
  )
  train, test = load('a.npz'), load('a.npz', 'test')
  assert (train.size, test.size, train.shape) == (16, 4, (6, 2))
  assert train.class_names == ('down', 'up') and train.any_order
  assert (
    train.count_classes().tolist()
    == np.bincount(loading.arrays(train)['label']).tolist()
  )
  ours = {v.tobytes(): k for v, k in zip(x, labels, strict=True)}
  for part in (train, test):
    arrays = loading.arrays(part)
    for v, k in zip(arrays['x'], arrays['label'], strict=True):
      assert ours.pop(v.tobytes()) == part.class_names[k]
  assert not ours  # each in one part
  # The same by way of the .csv that sampling writes.
  series.export(tmp_path / 'b.csv', x, labels=labels)
  again = load('b.csv')
  np.testing.assert_array_equal(
    loading.arrays(again)['x'], loading.arrays(train)['x']
  )
  assert again.class_names == train.class_names
  assert load('b.csv', length=4, stride=2).size == 32


def test_one_column_in_an_npz(tmp_path):
  np.savez(tmp_path / 'a.npz', np.arange(30))
  train, test, data = both(str(tmp_path / 'a.npz'), length=5)
  assert data.shape == (5, 1) and data.about['columns'] == ['value']
  assert train.max() == 23 and test.min() == 24


def test_stocks(tmp_path, monkeypatch):
  x = tiny_data.write_stocks(tmp_path, monkeypatch)
  load = lambda **given: loading.load('stocks', **given)
  data = load()
  assert data.shape == (127, 1) and data.size == 239 - 126
  want = np.log(x[1:128, 3] / x[:127, 3])
  np.testing.assert_allclose(data.read([0])['x'][0, :, 0], want, rtol=1e-4)
  day = load(values='ohlc').read([3])['x'][0, 5]
  np.testing.assert_allclose(day, np.log(x[9] / x[8, 3]), rtol=1e-4)
  plain = load(values='prices', split='test', length=10)
  np.testing.assert_allclose(plain.read([0])['x'][0, 0], x[240], rtol=1e-5)
  assert plain.about['high'][1] == x[:240, 1].max()
  with pytest.raises(UserError, match='ohlc: of wti there is one price'):
    load(index='wti', values='ohlc')
  for wrong in (
    {'index': 'dax'},
    {'values': 'x'},
    {'length': 99, 'split': 'test'},
  ):
    with pytest.raises(UserError, match='data.index=|data.values='):
      load(**wrong)
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(UserError, match='pip install arch'):
    load()


@pytest.mark.skipif(
  importlib.util.find_spec('arch') is None, reason='arch is not installed'
)
@pytest.mark.parametrize('index', stocks.INDICES)
def test_stocks_of_the_package(index):
  x = stocks._prices(index)
  days = {'sp500': 5031, 'nasdaq': 5031, 'vix': 1259, 'wti': 8321}
  assert x.shape == (days[index], len(stocks.INDICES[index]))
  assert x.min() > 0 and (x.max(1) == x[:, 1 % x.shape[1]]).all()  # the high
  data = loading.load('stocks', index=index)
  returns = loading.arrays(data)['x']
  assert 0.005 < returns.std() < 0.09 and abs(returns.mean()) < 1e-3


def test_rows_of_digits(tmp_path):
  x = tiny_data.images(5, (28, 28, 1))
  tiny_data.write_tfds(tmp_path, 'mnist', {'train': (x, np.arange(5))})
  data = loading.load('mnist_rows', dir=str(tmp_path))
  arrays = loading.arrays(data)
  assert data.kind == 'series' and data.shape == (28, 28)
  order = [arrays['label'].tolist().index(k) for k in range(5)]
  np.testing.assert_array_equal(arrays['x'][order], x[..., 0])
  seen = np.asarray(kinds.in_model_range(data, arrays['x']))
  pictures = tfds_images.load(name='mnist', dir=str(tmp_path))
  want = kinds.in_model_range(pictures, loading.arrays(pictures)['x'])
  np.testing.assert_allclose(seen, np.asarray(want)[..., 0], atol=1e-6)
  assert data.fingerprint != pictures.fingerprint
