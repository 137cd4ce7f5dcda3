"""All that a run learns is in its checkpoints, and nothing of it elsewhere.

The components are found by themselves. What is held outside of the state is
found by its effect, see test_hidden_state.py.
"""

import pathlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax.game import optim
from gan_jax.run import command, loop
from gan_jax.run import setup as setup_lib
from gan_jax.storage import format
from gan_jax.storage.checkpoints import Checkpoints
from gan_jax.types import Player, State, UserError
from tests.components.test_models import NAMES as MODELS
from tests.components.test_models import make as make_model
from tests.components.test_models import small
from tests.run.hooks_room import Room
from tests.run.test_resume import RECIPES, substitute
from tests.storage.test_damage import without, write_note

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNKNOWN = 'is new here: is it saved and restored? Say so in this test, too'

# What there is to save, by its fields.


GOLDEN = {
  State: {'step', 'players', 'ema', 'memo'},
  Player: {'params', 'vars', 'opt'},
  loop.Window: {'since', 'total'},
}
META = {'config', 'records', 'window', 'rollbacks', 'owed'}
NOTE = {'format', 'step', 'meta', 'metric', 'score', 'leaves'}


@pytest.mark.parametrize('kind', GOLDEN)
def test_no_structure_has_grown_unnoticed(kind):
  new = set(kind._fields) ^ GOLDEN[kind]
  assert not new, f'{kind.__name__}: {sorted(new)} {UNKNOWN}'


def test_a_field_of_its_own_for_new_state_is_noticed():
  """As somebody would add it: the golden list tells."""
  grown = NamedTuple('State', [*State.__annotations__.items(), ('p', float)])
  with pytest.raises(AssertionError, match=r"\['p'\] is new here"):
    new = set(grown._fields) ^ GOLDEN[State]
    assert not new, f'{sorted(new)} {UNKNOWN}'


@pytest.fixture(scope='module')
def setup():
  return setup_lib.build(command.load_config(f'{ROOT}/configs/ring8.py:tiny'))


def test_what_is_beside_the_state_is_in_the_note(setup, tmp_path, monkeypatch):
  room = Room(setup, tmp_path, monkeypatch)
  sums = {
    name: np.float32([1 / 3, np.pi, 1e-45, np.inf, np.nan])
    for name in ('d_loss', 'health_separation')
  }
  at, checkpoints = room.open()
  with checkpoints, at:
    at.score(2, room.state(2))
    at.save(2, room.state(2), loop.Window(1, sums))
  note = format.read_note(room.workdir / 'checkpoints' / '2')
  for found, known in ((note, NOTE), (note['meta'], META)):
    assert set(found) == known, f'{sorted(set(found) ^ known)} {UNKNOWN}'
  assert (note['metric'], note['score']) == ('modes', 2.0)
  assert {r['step'] for r in note['meta']['records']} == {2}
  window = loop.Window(**note['meta']['window'])
  zeros = {name: np.zeros(5, np.float32) for name in sums}
  again = loop.go_on(zeros, window)
  assert window.since == 1
  for name, value in sums.items():
    assert again[name].dtype == np.float32
    assert again[name].tobytes() == value.tobytes()


# Every leaf of every recipe.


def noise(like, seed=0):
  """Any bits in the place of every leaf; of floats NaNs, too."""
  rng = np.random.default_rng(seed)

  def draw(leaf):
    if leaf.dtype == bool:
      return rng.integers(0, 2, leaf.shape).astype(bool)
    raw = rng.bytes(leaf.size * leaf.dtype.itemsize)
    return np.frombuffer(raw, leaf.dtype).reshape(leaf.shape)

  return jax.tree.map(draw, like)


def names(tree):
  """The leaves' names, made up here."""
  paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(tree)]
  keys_of = ('key', 'name', 'idx')
  part = lambda k: str(next(getattr(k, n) for n in keys_of if hasattr(k, n)))
  return ['/'.join(map(part, path)) for path in paths]


def differing(a, b):
  """Names of the leaves that are not the same to the bit."""
  assert jax.tree.structure(a) == jax.tree.structure(b)
  pairs = zip(names(a), *map(jax.tree.leaves, (a, b)), strict=True)
  return [
    name
    for name, x, y in pairs
    if np.asarray(x).tobytes() != np.asarray(y).tobytes()
  ]


def of_each_kind(names):
  """The first name of each branch, as players/g/opt or adam/0/count."""
  branches = {'/'.join(name.split('/')[:3]): name for name in names[::-1]}
  return list(branches.values())


def assert_all_saved(like, folder, *, to_miss=of_each_kind):
  """Saves a tree of noise, restores it, and misses some of its leaves."""
  content = noise(like)
  with Checkpoints(folder) as c:
    c.save(1, content, {}, wait=True)
    got = c.restore(like).state
  assert jax.tree.structure(got) == jax.tree.structure(like)
  for name, a, b in zip(
    names(like), *map(jax.tree.leaves, (content, got)), strict=True
  ):
    assert isinstance(b, jax.Array), name
    assert (a.dtype, a.shape) == (b.dtype, b.shape), name
    assert a.tobytes() == np.asarray(b).tobytes(), name
  path = folder / '1'
  note = format.read_note(path)
  assert sorted(note['leaves']) == sorted(names(like))
  for name in to_miss(names(like)):
    kind, less = note['leaves'][name], without(note['leaves'], name)
    write_note(path, lambda note, less=less: {**note, 'leaves': less})
    with pytest.raises(UserError, match='missing there') as error:
      format.read(path, like)
    assert str(error.value).startswith(
      f'{name} is missing there, {kind["dtype"]}'
    )
  write_note(path, lambda n: {**n, 'leaves': {**note['leaves'], 'new': kind}})
  with pytest.raises(UserError, match='^new is .* there, missing here'):
    format.read(path, like)


@pytest.mark.parametrize('recipe', RECIPES)
def test_every_leaf_of_every_recipe(recipe, tmp_path):
  file = f'{ROOT}/configs/{recipe}.py:tiny'
  data = command.load_config(file)['data']
  changes = substitute(data, tmp_path) | {'num_seeds': 2}
  config = command.load_config(file, changes)
  like = jax.eval_shape(setup_lib.build(config).init)
  assert isinstance(like, State)
  found = names(like)
  parts = ['step', 'ema/g/params/']
  for player in 'gd':
    plain = config['optim'][player]['name'] == 'sgd'  # which remembers nothing
    kept = ('params',) if plain else ('params', 'opt')
    parts += [f'players/{player}/{part}/' for part in kept]
  for part in parts:
    assert any(name.startswith(part) for name in found), part
  for name in found:  # what is averaged, or kept, of G
    if name.startswith('players/g/vars/'):
      assert name.replace('players/g', 'ema/g', 1) in found
  assert all(x.shape[0] == 2 for x in jax.tree.leaves(like))
  some = of_each_kind if len(found) > 40 else list
  assert_all_saved(like, tmp_path / 'c', to_miss=some)


# Every component by itself.


def optimizers():
  """All of optax's that a config may name, with a schedule and clipping."""
  schedule = {'name': 'cosine_decay_schedule', 'decay_steps': 8}
  options = {'learning_rate': 0.1, 'schedule': schedule, 'clip_norm': 1.0}
  for name in sorted(vars(optax)):
    if not name.startswith('_'):
      try:
        yield name, optim.make_optimizer(name, **options)
      except (TypeError, ValueError, Warning):  # no optimizer, or not now
        continue


def test_the_state_of_every_optimizer(tmp_path):
  found = dict(optimizers())
  assert {'adam', 'rmsprop', 'sgd', 'lion', 'adamw'} <= set(found)
  params = {'kernel': jnp.ones((2, 3)), 'bias': jnp.ones(3)}
  rng = np.random.default_rng(0)
  draw = lambda: jax.tree.map(
    lambda x: jnp.asarray(rng.normal(size=x.shape), x.dtype), params
  )
  gradients = [draw() for _ in range(4)]

  @jax.jit
  def update(states, gradient):
    """An update by each of them, and their states afterwards."""
    made = {
      name: tx.update(gradient, states[name], params)
      for name, tx in found.items()
    }
    return [{k: v[i] for k, v in made.items()} for i in (0, 1)]

  def run(states, gradients):
    for gradient in gradients:
      made, states = update(states, gradient)
    return made, states

  fresh = jax.jit(lambda: {k: tx.init(params) for k, tx in found.items()})()
  _, half = run(fresh, gradients[:2])
  with Checkpoints(tmp_path) as c:
    c.save(1, half, {}, wait=True)
    got = c.restore(jax.eval_shape(lambda: fresh)).state
  for a, b in zip(*(run(s, gradients[2:]) for s in (half, got)), strict=True):
    assert differing(a, b) == []
  assert 'adam/1/1/count' in names(fresh) or any(
    name.startswith('adam/') and name.endswith('/count')
    for name in names(fresh)
  )
  assert_all_saved(jax.eval_shape(lambda: fresh), tmp_path / 'all')


def test_the_variables_of_every_model(tmp_path):
  tree = {}
  for name in MODELS:
    thin = small(name, 'spectral+batch')
    g, d = make_model(name, (8, 8, 1), **thin, num_classes=3)
    label, key = jnp.zeros(2, int), jax.random.key(0)
    x, z = jnp.ones((2, 8, 8, 1)), jnp.ones((2, 4))
    init = lambda g=g, d=d, key=key, z=z, x=x, label=label: (
      g.init(key, z, label, train=True),
      d.init(key, x, label, train=True),
    )
    tree[name] = jax.eval_shape(init)
  found = ' '.join(names(tree))
  assert 'batch_stats' in found and 'spectral/' in found
  assert_all_saved(tree, tmp_path)
