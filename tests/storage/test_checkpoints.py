"""Checkpoints: exact, atomic, checked, and passed over when damaged."""

import errno
import gc
import pathlib
import random
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import Player, State, UserError

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEVICES = jax.devices()


def small(step):
  """A state that says which step it is of."""
  w = np.random.default_rng(step).normal(size=(40, 3)).astype(np.float32)
  return {'step': jnp.int32(step), 'w': jnp.asarray(w)}


def realistic():
  params = {
    'Dense_0': {
      'kernel': jnp.arange(6.0).reshape(2, 3) / 7,
      'bias': jnp.ones(3),
    }
  }
  optimizer = optax.chain(
    optax.clip_by_global_norm(1.0), optax.adam(optax.constant_schedule(1e-3))
  )
  player = Player(
    params, {'batch_stats': {'mean': jnp.zeros(3)}}, optimizer.init(params)
  )
  half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), params)
  memo = {
    'r1': (),
    'none': {},
    'lecam': (jnp.float32(np.nan), jnp.zeros((2, 0))),
  }
  players = {'g': player, 'd': player._replace(vars={})}
  return State(jnp.int32(3), players, {'g': half}, memo)


def assert_same(a, b):
  """Same tree, types and bytes."""
  assert jax.tree.structure(a) == jax.tree.structure(b)
  for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
    x, y = np.asarray(x), np.asarray(y)
    assert x.dtype == y.dtype and x.shape == y.shape
    assert x.tobytes() == y.tobytes()


def save_all(directory, scores, **options):
  with Checkpoints(directory, **options) as c:
    for step, score in scores.items():
      c.save(step, small(step), {'at': step}, score=score)


def zeros_like(tree):
  return jax.tree.map(jnp.zeros_like, tree)


def test_round_trip(tmp_path, capfd):
  state, meta = realistic(), {'config': {'lr': [1e-3, None]}, 'seed': 2}
  with Checkpoints(tmp_path / 'new' / 'checkpoints') as c:
    assert c.restore(state) is None
    assert (c.latest_step(), c.best_step(), c.steps()) == (None, None, [])
    assert c.save(3, state, meta)
    c.wait()
    assert not c.save(3, state, meta)
    for like in (state, jax.eval_shape(lambda: state), zeros_like(state)):
      got = c.restore(like)
      assert (got.step, got.meta) == (3, meta)
      assert_same(got.state, state)
      assert isinstance(
        got.state.players['g'].opt[1][0], optax.ScaleByAdamState
      )
  assert capfd.readouterr() == ('', '')


def test_other_kinds_of_leaves(tmp_path):
  state = {
    'key': jax.random.split(jax.random.key(1), 3),
    'numpy': np.arange(3, dtype=np.int8),
    'int': 7,
    'float': 0.25,
    'none': None,
  }
  with Checkpoints(tmp_path) as c:
    c.save(1, state, {}, wait=True)
    got = c.restore(state).state
  assert jnp.array_equal(
    jax.random.key_data(got['key']), jax.random.key_data(state['key'])
  )
  assert_same({**got, 'key': 0}, {**state, 'key': 0})
  assert type(got['numpy']) is np.ndarray and type(got['int']) is int


@pytest.mark.parametrize(
  'change, words',
  [
    (lambda s: {**s, 'w': s['w'].astype(jnp.bfloat16)}, 'w is float32[40, 3]'),
    (lambda s: {**s, 'w': s['w'][:9]}, 'there, float32[9, 3] here'),
    (lambda s: {'w': s['w']}, 'step is int32[] there, missing here'),
    (lambda s: {**s, 'x': s['w']}, 'x is missing there'),
  ],
)
def test_another_state_is_refused_by_name(tmp_path, change, words):
  save_all(tmp_path, {1: None, 2: None})
  with pytest.raises(UserError) as error:
    Checkpoints(tmp_path).restore(change(small(2)))
  assert words in str(error.value) and '\n' not in str(error.value)


# Damage.


def largest(folder):
  """Where the arrays are."""
  return max(folder.glob('d/*'), key=lambda p: p.stat().st_size)


def flip(path, at):
  content = bytearray(path.read_bytes())
  content[int(at * (len(content) - 1))] ^= 1
  path.write_bytes(content)


def test_any_flipped_byte_is_noticed_or_harmless(tmp_path):
  save_all(tmp_path, {1: None})
  random.seed(0)
  for path in sorted(p for p in (tmp_path / '1').rglob('*') if p.is_file()):
    for at in (0.0, random.random(), 1.0):
      flip(path, at)
      try:
        got = Checkpoints(tmp_path).restore(small(1), say=lambda _: None)
        assert_same(got.state, small(1))
        assert got.meta == {'at': 1}
      except UserError as error:
        assert f'{tmp_path}/1 (' in str(error)
      flip(path, at)
  assert Checkpoints(tmp_path).restore(small(1)).step == 1


def test_flips_that_orbax_lets_through(tmp_path):
  state = {'w': np.random.default_rng(0).random(200_000, np.float32)}
  with Checkpoints(tmp_path) as c:
    c.save(1, state, {'lr': 0.125}, wait=True)
    data = largest(tmp_path / '1' / 'state' / 'ocdbt.process_0')
    flip(data, 0.5)
    with pytest.raises(UserError, match='wrong checksum of w'):
      c.restore(state, say=lambda _: None)
    flip(data, 0.5)
    note = tmp_path / '1' / 'meta' / 'metadata'
    note.write_text(note.read_text().replace('0.125', '0.525'))
    with pytest.raises(UserError, match='wrong checksum of meta'):
      c.restore(state, say=lambda _: None)


def test_none_good_is_an_error_that_names_them(tmp_path):
  save_all(tmp_path, {1: None, 2: None})
  for step in ('1', '2'):
    flip(largest(tmp_path / step / 'state'), 0.9)
  with pytest.raises(UserError, match='/2 .*/1 ') as error:
    Checkpoints(tmp_path).restore(small(1), say=lambda _: None)
  assert '\n' not in str(error.value)


# Readers, devices, donation, errors.


def test_a_reader_changes_nothing(tmp_path):
  save_all(tmp_path, {1: None, 2: None})
  (tmp_path / '3').mkdir()  # as if it were being saved just now
  files = sorted(tmp_path.rglob('*'))
  with Checkpoints(tmp_path, read_only=True) as reader:
    said = []
    assert reader.restore(small(1), say=said.append).step == 2
    assert not said
    with pytest.raises(ValueError, match='read-only'):
      reader.save(4, small(4), {})
    assert sorted(tmp_path.rglob('*')) == files
    save_all(tmp_path, {4: 1.0})
    assert reader.latest_step() == reader.best_step() == 4
  with Checkpoints(tmp_path / 'nowhere', read_only=True) as reader:
    assert reader.restore(small(1)) is None
  assert not (tmp_path / 'nowhere').exists()


def on(count, *spec):
  mesh = jax.sharding.Mesh(np.array(DEVICES[:count]), ('x',))
  return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*spec))


@pytest.mark.parametrize('count, then', [(8, 1), (1, 8), (8, 4)])
@pytest.mark.parametrize('spec', [(), ('x',)], ids=['replicated', 'sharded'])
def test_other_device_counts(tmp_path, count, then, spec):
  state = {'w': np.arange(48, dtype=np.float32).reshape(8, 6)}
  with Checkpoints(tmp_path) as c:
    c.save(1, jax.device_put(state, on(count, *spec)), {}, wait=True)
    like = jax.device_put(zeros_like(state), on(then, *spec))
    got = c.restore(like).state
  assert_same(got, state)
  assert got['w'].sharding == like['w'].sharding


def test_donation_right_after_save(tmp_path):
  bump = jax.jit(lambda s: jax.tree.map(lambda x: x + 1, s), donate_argnums=0)
  state = {'w': jnp.full((300, 1000), -1.0), 'step': jnp.int32(-1)}
  before, state = state, bump(state)
  assert before['w'].is_deleted()  # so it does donate
  with Checkpoints(tmp_path, keep_last=9) as c:
    for step in range(4):
      c.save(step, state, {})
      state = bump(state)
    c.wait()
    for step in range(4):
      got = c.restore(state, which=step).state
      assert int(got['step']) == step and (np.asarray(got['w']) == step).all()


def test_a_step_is_saved_though_an_older_one_cannot_be_deleted(
  tmp_path, monkeypatch
):
  with Checkpoints(tmp_path, keep_last=1, keep_best=0) as c:
    said = []
    c.restore(small(0), say=said.append)
    c.save(1, small(1), {}, wait=True)

    def gone(*_):
      raise OSError(errno.ESTALE, 'stale')

    deleter = c._saver._manager._checkpoint_deleter
    monkeypatch.setattr(deleter, 'delete_steps', gone)
    c.save(2, small(2), {}, wait=True)
    monkeypatch.undo()
    assert len(said) == 1 and 'checkpoint 2 is saved, but then: ' in said[0]
    assert c.steps() == [1, 2]
    c.save(3, small(3), {}, wait=True)
    assert c.steps() == [3]


def test_saves_leave_next_to_nothing_in_memory(tmp_path):
  """TensorStore keeps what it answers; of 40 leaves that was 50 kB a save."""
  state = {str(i): jnp.ones((4, 3)) for i in range(40)}
  saves = 10

  def held():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]

  with Checkpoints(tmp_path / 'c') as checkpoints:
    checkpoints.save(0, state, {}, wait=True)
    tracemalloc.start()
    try:
      for step in range(1, 5):
        checkpoints.save(step, state, {}, wait=True)
      before = held()
      for step in range(5, 5 + saves):
        checkpoints.save(step, state, {}, wait=True)
      assert held() - before < 9000 * saves
    finally:
      tracemalloc.stop()
