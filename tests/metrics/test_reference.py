"""References: seen once, kept by content, published statistics."""

import numpy as np
import pytest

from gan_jax.data import memory
from gan_jax.metrics import fid, reference
from gan_jax.metrics.features import base, store
from gan_jax.types import UserError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
MOMENTS = frozenset({'moments'})
BOTH = frozenset({'moments', 'features'})


class Net:
  """A feature net that counts what it has looked at."""

  def __init__(self, name='own', hash='1'):
    self.looked = 0
    self.features = base.Features(name, hash, self.apply)

  def apply(self, samples):
    self.looked += len(samples)
    x = base.to_model_range(samples).reshape(len(samples), -1)
    return base.Seen(x, np.abs(x[:, :2]))


def dataset(x=IMAGES):
  return memory.from_arrays('own', 'image', x)


def refer(data, net, folder, *, most=40):
  return reference.from_dataset(
    data,
    features=net.features,
    split='train',
    most=most,
    cache_dir=folder,
    say=lambda line: None,
  )


def test_what_was_seen_is_kept_on_disk(tmp_path):
  net = Net()
  first = refer(dataset(), net, tmp_path).view(BOTH)
  again = refer(dataset(), net, tmp_path).view(BOTH)
  assert net.looked == 40
  np.testing.assert_array_equal(first.features, again.features)
  for a, b in zip(first.statistics, again.statistics, strict=True):
    np.testing.assert_array_equal(a, b)


def test_its_rows_are_those_that_were_seen(tmp_path):
  net = Net()
  found = refer(dataset(), net, tmp_path, most=30)
  assert len(found.rows) == 30 and list(found.rows) == sorted(found.rows)
  view = found.view(BOTH)
  rows = found.rows[view.position]
  theirs = base.to_model_range(IMAGES[rows]).reshape(30, -1)
  np.testing.assert_array_equal(view.features, theirs)


def test_samples_in_memory_are_told_apart_by_their_content():
  own = reference.from_arrays(IMAGES, name='own')
  assert (own.name, own.shape, own.rows) == ('own', (4, 4, 1), None)
  again = reference.from_arrays(IMAGES.copy(), name='of others')
  assert again.hash == own.hash
  assert reference.from_arrays(255 - IMAGES, name='own').hash != own.hash


def test_a_view_is_seen_again_only_if_more_is_wanted(tmp_path):
  net = Net('pixels')  # not kept on disk
  found = refer(dataset(), net, tmp_path)
  found.view(BOTH), found.view(MOMENTS)
  assert net.looked == 40 and not list(tmp_path.iterdir())
  found.view(frozenset({'probabilities'}))
  assert net.looked == 80 and found.view(BOTH).features is not None


def changed():
  x = IMAGES.copy()
  x[7, 0, 0, 0] ^= 1
  return x


@pytest.mark.parametrize(
  'data, net, most',
  [
    (dataset(changed()), Net(), 40),
    (dataset(), Net(hash='2'), 40),
    (dataset(), Net(), 30),
  ],
  ids=['data', 'weights', 'rows'],
)
def test_whatever_changed_is_looked_at_again(data, net, most, tmp_path):
  refer(dataset(), Net(), tmp_path).view(MOMENTS)
  found = refer(data, net, tmp_path, most=most)
  found.view(MOMENTS)
  assert net.looked == most
  assert len(list(tmp_path.iterdir())) == 2


def test_the_hash_tells_data_apart(tmp_path):
  of = lambda data: refer(data, Net(), tmp_path).hash
  assert of(dataset()) == of(dataset()) != of(dataset(changed()))


def test_a_damaged_file_is_made_again(tmp_path):
  net = Net()
  want = refer(dataset(), net, tmp_path).view(BOTH).features
  (path,) = tmp_path.iterdir()
  path.write_bytes(path.read_bytes()[:200])
  found = refer(dataset(), net, tmp_path).view(BOTH).features
  assert net.looked == 80
  np.testing.assert_array_equal(found, want)


def test_published_statistics(tmp_path):
  x = RNG.normal(size=(50, 3))
  mu, sigma = fid.statistics(x)
  path = tmp_path / 'published.npz'
  np.savez(path, mu=mu, sigma=sigma)
  assert reference.holds_statistics(path)
  found = reference.from_statistics(path, features=Net().features)
  assert found.name == 'published.npz'
  assert found.hash == store.weights_hash({'mu': mu, 'sigma': sigma})
  assert found.view(MOMENTS).distance(*fid.statistics(x + 1)) == (
    pytest.approx(3.0)
  )
  with pytest.raises(
    UserError, match='only a mean and a covariance.* features'
  ):
    found.view(BOTH)
  np.savez(path, mu=mu, sigma=sigma, arr_0=np.zeros((9, 4, 4, 3)))
  found = reference.from_statistics(path, features=Net().features)
  with pytest.raises(UserError, match='features.* --samples=FILE.npz --data='):
    found.view(BOTH)


@pytest.mark.parametrize(
  'arrays, told',
  [
    ({'mu': np.zeros(3)}, 'expected an .npz with mu and sigma'),
    ({'mu': np.zeros(3), 'sigma': np.eye(2)}, r'\[D\]'),
    ({'mu': np.full(2, np.nan), 'sigma': np.eye(2)}, 'NaN'),
    ({'mu': np.array([object()]), 'sigma': np.eye(1)}, 'expected an .npz'),
  ],
)
def test_statistics_that_are_none(arrays, told, tmp_path):
  path = tmp_path / 'published.npz'
  np.savez(path, **arrays)
  with pytest.raises(UserError, match=told) as e:
    reference.from_statistics(path, features=Net().features)
  assert '\n' not in str(e.value)


def test_what_one_user_wanted_is_kept_when_another_wants_more(tmp_path):
  net = Net()
  refer(dataset(), net, tmp_path).view(MOMENTS)
  refer(dataset(), net, tmp_path).view(frozenset({'probabilities'}))
  assert net.looked == 80 and len(list(tmp_path.iterdir())) == 1
  both = refer(dataset(), net, tmp_path).view(MOMENTS | {'probabilities'})
  assert net.looked == 80
  assert both.probabilities.shape == (40, 2) and both.features is None
