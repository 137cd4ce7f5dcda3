"""Loading by name, drawing in memory, streaming from disk."""

import functools
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data import batching, loading, memory
from gan_jax.kinds import image
from gan_jax.types import UserError
from tests import tiny_data

KEY = jax.random.key(3)


@pytest.fixture(scope='module')
def labelled():
  x = tiny_data.images(50, (6, 4, 3))
  return memory.from_arrays('tiny', 'image', x, np.arange(50) % 7)


@functools.partial(jax.jit, static_argnames=('batches', 'batch_size', 'flip'))
def draw(arrays, key, step, index, **static):
  tiny = memory.from_arrays('tiny', 'image', np.zeros((50, 6, 4, 3), np.uint8))
  return batching.draw(tiny, arrays, key, step, index, **static)


def in_model_range(batch):
  return {**batch, 'x': np.asarray(jax.jit(image.to_model_range)(batch['x']))}


def assert_same(a, b):
  assert a.keys() == b.keys()
  for k in a:
    np.testing.assert_array_equal(a[k], b[k])


def test_draw_gives_whole_epochs_in_model_range(labelled):
  arrays = loading.arrays(labelled)
  batch = draw(arrays, KEY, 0, jnp.arange(25), batches=2, batch_size=25)
  assert batch['x'].shape == (2, 25, 6, 4, 3) and batch['x'].dtype == 'float32'
  drawn = image.from_model_range(np.asarray(batch['x'])).reshape(50, -1)
  assert {r.tobytes() for r in drawn} == {r.tobytes() for r in arrays['x']}
  by_image = dict(zip(map(bytes, arrays['x']), arrays['label'], strict=True))
  labels = [by_image[r.tobytes()] for r in drawn]
  np.testing.assert_array_equal(batch['label'].ravel(), labels)


def test_devices_draw_slices_of_the_whole(labelled):
  arrays = loading.arrays(labelled)
  static = {'batches': 2, 'batch_size': 16, 'flip': True}
  whole = draw(arrays, KEY, 9, jnp.arange(16), **static)
  parts = [
    draw(arrays, KEY, 9, i, **static) for i in jnp.arange(16).reshape(4, 4)
  ]
  joined = {k: np.concatenate([p[k] for p in parts], 1) for k in whole}
  assert_same(joined, whole)


def test_flip_mirrors_some_images_left_to_right(labelled):
  arrays = loading.arrays(labelled)
  static = {'batches': 1, 'batch_size': 50}
  plain = draw(arrays, KEY, 0, jnp.arange(50), **static)
  flipped = draw(arrays, KEY, 0, jnp.arange(50), flip=True, **static)
  kept = (plain['x'] == flipped['x']).all((2, 3, 4))[0]
  turned = (plain['x'][:, :, :, ::-1] == flipped['x']).all((2, 3, 4))[0]
  assert (kept ^ turned).all() and 15 < turned.sum() < 35
  np.testing.assert_array_equal(plain['label'], flipped['label'])


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('step', [0, 4])
def test_stream_equals_draw(labelled, step, flip):
  arrays = loading.arrays(labelled)
  static = {'batches': 2, 'batch_size': 16, 'flip': flip}
  stream = batching.stream(labelled, KEY, np.arange(16), step=step, **static)
  for s in range(step, step + 4):
    batch = next(stream)
    assert batch['x'].dtype == np.uint8
    expected = draw(arrays, KEY, s, jnp.arange(16), **static)
    assert_same(in_model_range(batch), expected)
  stream.close()


@pytest.mark.parametrize('seeds', [0, 2])
def test_blocks_hold_the_steps_of_a_stream(labelled, seeds):
  """Those that begin at a multiple, from the one with the first step on."""
  key = jax.random.split(KEY, seeds) if seeds else KEY
  static = {'batches': 2, 'batch_size': 8, 'flip': True}
  open_ = lambda **more: batching.stream(
    labelled, key, np.arange(8), **static, **more
  )
  steps, blocks = open_(step=3), open_(step=5, block=3)
  for _ in range(2):
    block = next(blocks)
    for at in range(3):
      own = jax.tree.map(
        lambda x, at=at: x[(slice(None),) * bool(seeds) + (at,)], block
      )
      assert_same(own, next(steps))
  steps.close()
  blocks.close()


def test_stream_of_several_seeds_has_a_leading_axis(labelled):
  seeds = jax.random.split(KEY, 3)
  static = {'batches': 2, 'batch_size': 8}
  stream = batching.stream(labelled, seeds, np.arange(2, 6), step=1, **static)
  batch = in_model_range(next(stream))
  for s, key in enumerate(seeds):
    expected = draw(
      loading.arrays(labelled), key, 1, jnp.arange(2, 6), **static
    )
    assert_same({k: v[s] for k, v in batch.items()}, expected)
  stream.close()


@pytest.mark.parametrize('most', [1, 3, 64])
def test_a_stream_is_the_same_however_much_is_planned(
  labelled, monkeypatch, most
):
  monkeypatch.setattr(batching, 'MOST_PLANNED', most)
  seeds, static = jax.random.split(KEY, 2), {'batches': 2, 'batch_size': 8}
  arrays = loading.arrays(labelled)
  for first in (0, 61):  # within a block, and across its end
    stream = batching.stream(
      labelled, seeds, np.arange(8), step=first, **static
    )
    for step in range(first, first + 5):
      batch = in_model_range(next(stream))
      for s, key in enumerate(seeds):
        expected = draw(arrays, key, step, jnp.arange(8), **static)
        assert_same({k: v[s] for k, v in batch.items()}, expected)
    stream.close()


def test_all_examples_are_not_copied_unless_they_may_be_changed(labelled):
  whole = loading.whole(labelled)
  assert np.shares_memory(whole['x'], loading.whole(labelled)['x'])
  with pytest.raises(ValueError, match='read-only'):
    whole['x'][0] = 0
  mine = loading.arrays(labelled)
  assert_same(mine, whole)
  mine['x'][0] = 255 - mine['x'][0]
  assert (mine['x'][0] != loading.whole(labelled)['x'][0]).any()
  backwards = np.arange(50)[::-1]
  for rows in (backwards, np.arange(49), np.arange(50) // 2):
    x = labelled.read(rows)['x']
    np.testing.assert_array_equal(x, whole['x'][rows])
    assert x.flags.writeable


def test_stream_reads_ahead_and_stops(labelled):
  reads = []

  def read(rows):
    reads.append(len(rows))
    return labelled.read(rows)

  counted = labelled._replace(read=read)
  stream = batching.stream(counted, KEY, np.arange(8), batches=1, batch_size=8)
  next(stream)
  stream.close()
  assert 2 <= len(reads) <= 3 and set(reads) == {8}
  assert not [t for t in threading.enumerate() if t.name.startswith('data')]


def test_stream_passes_errors_on(labelled):
  def read(rows):
    raise UserError('broken.png')

  broken = labelled._replace(read=read)
  stream = batching.stream(broken, KEY, np.arange(8), batches=1, batch_size=8)
  with pytest.raises(UserError, match='broken.png'):
    next(stream)


def test_points_cannot_be_flipped():
  ring = loading.load('ring8', size=10)
  static = {'batches': 1, 'batch_size': 2, 'flip': True}
  with pytest.raises(UserError, match='data.flip'):
    batching.draw(ring, loading.arrays(ring), KEY, 0, jnp.arange(2), **static)
  with pytest.raises(UserError, match='data.flip'):
    batching.stream(ring, KEY, np.arange(2), **static)


def test_unset_options_stand_for_defaults():
  assert loading.load('digits', dir='', image_size=None).size == 1797


@pytest.mark.parametrize(
  ('name', 'options', 'words'),
  [
    ('digitz', {}, ['digitz', "'digits'", 'ring8', 'TFDS']),
    ('mnistt', {}, ['mnistt', "'mnist'", 'ring8', 'TFDS']),
    ('', {}, ['digits', 'ring8']),
    ('../x', {}, ['digits', 'ring8']),
    ('no.such', {}, ['no.such', 'digits']),
    ('digits', {'sise': 3}, ['data.sise', 'image_size', 'channels']),
    ('ring8', {'image_size': 3}, ['data.image_size', 'radius', 'std']),
    ('mnist', {'size': 3}, ['data.size', 'dir', 'split']),
    ('digits', {'channels': 2}, ['data.channels=2']),
    ('digits', {'image_size': -1}, ['data.image_size=-1']),
    ('ring8', {'size': -1}, ['data.size=-1']),
    ('grid25', {'std': -1.0}, ['data.std=-1.0']),
  ],
)
def test_mistakes_are_told_in_one_line(name, options, words):
  with pytest.raises(UserError) as e:
    loading.load(name, **options)
  assert '\n' not in str(e.value)
  for word in words:
    assert word in str(e.value)


def test_a_dotted_name_is_a_module_outside(tmp_path, monkeypatch):
  (tmp_path / 'my_sets').mkdir()
  (tmp_path / 'my_sets' / 'three.py').write_text(
    'import numpy as np\n'
    'from gan_jax.data import memory\n'
    'def load(*, n=3):\n'
    "  return memory.from_arrays('three', 'point', np.zeros((n, 2)))\n"
  )
  monkeypatch.syspath_prepend(tmp_path)
  assert loading.load('my_sets.three', n=4).size == 4
  with pytest.raises(UserError, match='takes n'):
    loading.load('my_sets.three', m=4)
