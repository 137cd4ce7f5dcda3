"""The step at which a run diverges: found, and written down."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax.game import optim
from gan_jax.run import command, loop, training
from gan_jax.run import setup as setup_lib
from gan_jax.run.recovery import divergence, dumps, replay

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Uniform draws of seeds 2 and 3 exceed it first at steps 12 and 17.
RARE = 0.995
TWO_MOVES = {'parallel': 'pmap', 'd_steps': 2, 'fresh_real': True}
LABELS = {'conditional': True, 'data': {'name': 'digits'}, 'eval_samples': 200}


def recipe(broken=None, **overrides):
  """A tiny run that breaks as tests/diverging.py is told to."""
  usual = {'parallel': 'jit', 'steps': 40, 'report_every': 10, 'eval_every': 0}
  usual |= {'save_every': 8, 'penalties': {}}
  config = command.load_config(
    f'{ROOT}/configs/ring8.py:tiny', usual | overrides
  )
  if (
    broken is not None
  ):  # all by numbers, so that one program serves all of them
    broken = {'above': 1.0, **broken, 'at': float(broken.get('at', 0))}
    config['penalties'] = {'tests.diverging': broken}
  return config


def diverge(workdir, config):
  """Trains until it diverges; returns what is raised then."""
  with pytest.raises(loop.Diverged) as raised:
    training.train(config, workdir)
  return raised.value


def saved(workdir):
  marks = pathlib.Path(workdir).glob('checkpoints/*/commit_success.txt')
  return sorted(int(p.parent.name) for p in marks)


# ------------------------------------------------------ no gradient goes unseen


@pytest.mark.parametrize('clip_norm', [0.0, 1.0])
@pytest.mark.parametrize('bad', [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize(
  'name', ['adam', 'adamw', 'sgd', 'rmsprop', 'lion', 'adagrad', 'adabelief']
)
def test_a_gradient_that_is_not_finite_leaves_a_state_that_is_not(
  name, bad, clip_norm
):
  """Also if it is clipped: what is infinite over an infinite norm is NaN."""
  tx = optim.make_optimizer(name, learning_rate=1e-3, clip_norm=clip_norm)
  params = {'w': jnp.ones((1, 3))}
  grads = {'w': jnp.array([[1.0, bad, 1.0]])}
  moves, state = tx.update(grads, tx.init(params), params)
  left = {'params': optax.apply_updates(params, moves)}
  rest = [x for x in jax.tree.leaves(state) if x.shape == (1, 3)]
  assert not loop.finite_seeds((left, rest)).any()
  assert loop.finite_seeds((params, rest[:0])).all()


# ------------------------------------------------------------ the step is found


@pytest.mark.parametrize(
  'broken, every',
  [({}, (40, 0)), ({'quiet': True}, (6, 3))],
  ids=['seldom', 'often'],
)
def test_the_step_is_found_wherever_one_looks(broken, every, tmp_path):
  report_every, save_every = every
  config = recipe(
    {'at': 13, **broken}, report_every=report_every, save_every=save_every
  )
  told = diverge(tmp_path, config)
  assert told.step == 13 and str(told).startswith('at step 13, seed 0: ')
  assert 'penalty_tests.diverging' in str(told)
  assert ('of the state (first: d/params' in str(told)) == (
    'quiet' not in broken
  )
  assert saved(tmp_path) == ([9, 12] if save_every else [])
  if save_every:
    assert 'newest good checkpoint is that of step 12' in told.hint
  else:
    assert 'no good checkpoint' in told.hint


def test_what_is_clipped_is_found_as_well(tmp_path):
  clipped = {'optim.d.clip_norm': 1.0, 'save_every': 40}
  assert diverge(tmp_path, recipe({'at': 5}, **clipped)).step == 5
  assert dumps.newest(tmp_path)[0]['nonfinite'][0].startswith('d/params/')


def by_hand(config, step):
  """The states and the metrics around a step, one call at a time."""
  setup = setup_lib.build(config)
  program = setup_lib.make_program(setup, wrapper=config['parallel'])
  data, kept = (
    setup_lib.make_data(setup, program, step=0),
    program.put(setup.init()),
  )
  for at in range(step):
    before = jax.tree.map(np.array, program.get(kept))
    fed = data(at)
    kept, total = program.advance(kept, program.put(program.zeros), fed, 1)
  return setup, before, jax.tree.map(np.array, program.get(total)), fed


@pytest.mark.parametrize(
  'more',
  [
    {},
    pytest.param(TWO_MOVES, marks=pytest.mark.slow),
    pytest.param({'parallel': 'shard_map'}, marks=pytest.mark.slow),
    pytest.param({'data.memory_mb': 0}, marks=pytest.mark.slow),
    pytest.param(LABELS, marks=pytest.mark.slow),
  ],
  ids=['jit', 'pmap', 'shard_map', 'streamed', 'labels'],
)
def test_a_dump_holds_what_the_step_was_given(more, tmp_path):
  config = recipe({'at': 11}, **more)
  step = 6 if config['d_steps'] == 2 else 11
  assert diverge(tmp_path, config).step == step
  document, arrays = dumps.newest(tmp_path)
  assert document['step'] == step and document['seeds'] == [0]
  assert document['checkpoint'] == (8 if step > 8 else None)
  setup, before, metrics, fed = by_hand(config, step)
  key = np.asarray(jax.random.key_data(setup.keys[0]))
  assert arrays['key'].tobytes() == key.tobytes()
  for name, value in loop.means(metrics, 1).items():
    assert arrays[f'metric_{name}'].tobytes() == value.tobytes()
  assert (
    np.isinf(arrays['metric_penalty_tests.diverging']).all()
    or np.isnan(arrays['metric_penalty_tests.diverging']).all()
  )

  feed = jax.jit(setup.functions.feed)
  if not setup.structure.resident:  # [S, steps, n, B, ...]
    fed = {k: v[0, (step - 1) % v.shape[1]] for k, v in fed.items()}
  batch = feed(fed, setup.keys[0], step - 1, jnp.arange(setup.batch_size))
  names = {'batch_x', 'batch_index'} | ({'batch_label'} & set(arrays))
  assert ('batch_label' in names) == config['conditional']
  assert {k for k in arrays if k.startswith('batch_')} == names
  for name, value in batch.items():
    assert arrays[f'batch_{name}'].tobytes() == np.asarray(value).tobytes()
  kernel = before.players['d'].params['hidden_0']['kernel'][0]
  norm = np.sqrt(np.square(kernel.astype(np.float64)).sum())
  assert document['norms']['d/params/hidden_0/kernel'] == norm
  assert set(document['norms']) == set(dumps.named(before, 0))
  assert document['nonfinite'][0].startswith('d/params/')
  assert replay.replay(tmp_path, say=lambda line: None)


def test_a_large_batch_is_cut_and_that_is_said(tmp_path, monkeypatch):
  monkeypatch.setattr(dumps, 'LARGEST', 24)  # 3 points
  setup = setup_lib.build(recipe())
  state, batch = setup.init(), divergence.batch_of(setup, 0, 0)
  bad = divergence.Bad(1, (0,), state, state, {'d_loss': np.ones(1)}, batch)
  path = dumps.dump(tmp_path, bad, setup, dumps.Origin(None, 2), first_seed=0)
  assert path == tmp_path / 'divergence/step_00000001_rollback_2.json'
  document, arrays = dumps.newest(tmp_path)
  assert arrays['batch_x'].tobytes() == batch['x'][:, :3].tobytes()
  assert arrays['batch_index'].tolist() == [0, 1, 2]
  assert 'all but the first 3 of 8 examples' in ' '.join(document['left_out'])
  assert document['batch']['x'] == dumps.digest(batch['x'])
  with np.load(path.with_suffix('.npz')) as file:  # without pickle
    assert {k: v.tolist() for k, v in file.items()} == {
      k: v.tolist() for k, v in arrays.items()
    }


class Moody:
  """A walk along which a seed is finite or not as it is told."""

  def __init__(self, *alive):
    self.step, self._alive = 0, alive

  def to(self, step):
    self.step = step

  def go(self):
    self.step += 1

  def alive(self):
    return np.array([self._alive[self.step]])


def test_what_does_not_happen_again_is_not_found():
  for alive in (True, False):
    walk = Moody(alive, alive, alive, alive)
    assert divergence.find(walk, None, good=1, end=3) is None


# ------------------------------------------------------------------ many seeds


def test_a_run_goes_on_until_its_last_seed_is_dead(tmp_path):
  config = recipe({'above': RARE}, seed=2, num_seeds=2)
  told = diverge(tmp_path, config)
  assert str(told).startswith('at step 17, seed 3: ')
  document, arrays = dumps.newest(tmp_path)
  assert document['seeds'] == [3] and document['checkpoint'] == 16
  assert arrays['metric_d_loss'].shape == (2,)
  assert np.isfinite(arrays['norms']).all()  # of seed 3
  lines = []
  assert replay.replay(tmp_path, say=lines.append)
  assert 'reproduced: diverged at step 17, seed 3' in lines[-1]


def test_a_run_ends_with_the_seeds_that_live(tmp_path):
  config = recipe({'above': RARE}, seed=2, num_seeds=2, steps=16)
  scores = training.train(config, tmp_path)
  values = {record['seed']: record['value'] for record in scores}
  assert values[2] is None and values[3] is not None
  assert {r.get('reason') for r in scores if r['seed'] == 2} == {
    'its samples are not finite'
  }
  assert not any('rollbacks' in record for record in scores)
  assert not (tmp_path / 'divergence').exists()
  assert not (tmp_path / 'rollbacks.json').exists()


@pytest.mark.slow
def test_a_wasserstein_game_without_a_penalty_in_bfloat16(tmp_path):
  config = recipe(
    **{'loss.name': 'wasserstein', 'dtype': 'bfloat16', 'steps': 4000},
    **{'optim.d.learning_rate': 1e5, 'optim.g.learning_rate': 1e5},
    **{'report_every': 500, 'save_every': 50},
  )
  told = diverge(tmp_path, config)
  assert told.good > 0 and saved(tmp_path)[-1] == told.good < told.step
  lines = []
  assert replay.replay(tmp_path, say=lines.append)
  assert lines[1:3] == [
    'batch: as in the dump, bit for bit',
    'norms before: as in the dump, bit for bit',
  ]
