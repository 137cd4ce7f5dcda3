"""Each kind of component is one new file: found by its dotted name, it trains
two steps, is saved, and resumes to the same bits.

(A kind of data with its data set: tests/kinds/test_new_kind.py.)
"""

import functools

import jax
import numpy as np
import pytest

from gan_jax.metrics import measures
from gan_jax.run import command, training
from gan_jax.run import setup as setup_lib
from gan_jax.storage import files
from gan_jax.storage.checkpoints import Checkpoints
from tests import tiny
from tests.components.new_files import FILES
from tests.components.packages import importable

own = 'own_files.{}'.format
NAMED = lambda file, **options: {'name': own(file), **options}
LABELLED = {'conditional': True, 'data': NAMED('data', halves=True)}
HEADED = NAMED('conditioning', bias=False, weight=0.5)
# What a config says to use them, and what the metrics then hold. Several files
# at once, for each config is compiled.
USED = {
  'loss, penalty, augment, dynamics, data, conditioning': (
    {
      'loss': NAMED('loss', scale=0.5),
      'penalties': {own('penalty'): {'weight': 0.2}, own('change'): {}},
      'augment': NAMED('augment', size=0.2),
      'dynamics': NAMED('dynamics', g_steps=2),
      'data': NAMED('data', radius=2.0, halves=True),
      'conditioning': HEADED,
      'conditional': True,
      'health_every': 1,
    },
    [
      *('d_loss', f'penalty_{own("penalty")}', f'g_penalty_{own("penalty")}'),
      *('penalty_conditioning', 'g_penalty_conditioning', 'health_separation'),
    ],
  ),
  'model, metric, a penalty now and then': (
    {
      'model': NAMED('model', e={'hidden': 4}),
      'penalties': {own('taught'): {}, own('penalty'): {'every': 2}},
      'loss': {'name': 'rpgan'},
      'metrics': (own('metric'), 'modes'),
    },
    [f'e_penalty_{own("taught")}', f'g_penalty_{own("penalty")}'],
  ),
}
# Slowly, each of them by itself.
FIRST = next(iter(USED.values()))[0]
KINDS = ('loss', 'penalties', 'augment', 'dynamics', 'data')
ALONE = {key: ({key: FIRST[key]}, []) for key in KINDS}
ALONE['conditioning'] = ({'conditioning': HEADED, **LABELLED}, [])
CASES = USED | ALONE


@pytest.fixture(scope='module', autouse=True)
def package(tmp_path_factory):
  with importable(tmp_path_factory.mktemp('package'), 'own_files', FILES):
    yield


def recipe(overrides, *, steps):
  config = command.load_config('configs/ring8.py:tiny')
  config |= {'penalties': {}, 'save_every': 1, 'report_every': 2}
  config |= {'eval_every': 0, 'health_every': 0, 'metrics': ()}
  config |= {'steps': steps} | overrides
  config['model'] = {'g': {}, 'd': {}, **config['model']}
  return config


def state_of(workdir, config):
  like = jax.eval_shape(setup_lib.build(config).init)
  with Checkpoints(workdir / 'checkpoints', read_only=True) as checkpoints:
    return checkpoints.restore(like)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  """name -> (folder of the run in two parts and the whole one, last scores)."""

  @functools.cache
  def train(name):
    folder, of = tmp_path_factory.mktemp('runs'), CASES[name][0]
    for steps in (1, 2):
      training.train(recipe(of, steps=steps), folder / 'parts')
    return folder, training.train(recipe(of, steps=2), folder / 'whole')

  return train


@pytest.mark.parametrize(
  'name', [*USED, *(pytest.param(n, marks=pytest.mark.slow) for n in ALONE)]
)
def test_one_file_trains_and_resumes(name, run):
  overrides, shown = CASES[name]
  (folder, _), config = run(name), recipe(overrides, steps=2)
  whole, parts = (state_of(folder / w, config) for w in ('whole', 'parts'))
  assert whole.step == parts.step == 2
  assert tiny.distance(whole.state, parts.state) == 0
  row = files.read_rows(folder / 'whole' / 'metrics.jsonl')[0]
  assert set(shown) <= set(row)
  begun = setup_lib.build(config).init()
  for player, moved in whole.state.players.items():
    assert tiny.distance(moved.params, begun.players[player].params) > 0, player
  for name, memo in whole.state.memo.items():
    for before, after in zip(
      *map(jax.tree.leaves, (begun.memo[name], memo)), strict=True
    ):
      assert not np.array_equal(before, after), f'{name} never changed'


def test_its_score_is_recorded_and_ranks(run):
  folder, records = run('model, metric, a penalty now and then')
  (record,) = [r for r in records if r['metric'] == 'off_centre']
  assert record['value'] > 0
  lines = (folder / 'whole' / 'report.html').read_text()
  assert 'Off centre' in lines
  assert measures.is_lower_better('off_centre')
  assert not measures.is_lower_better('modes')


def test_every_file_here_is_used():
  used = ' '.join(map(str, USED.values()))
  assert all(own(name) in used for name in FILES)
