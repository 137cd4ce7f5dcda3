"""Every row of the table: what it refuses, and nearly the same that trains."""

import json
import pathlib
import re

import jax.numpy as jnp
import pytest

from gan_jax import evaluate, select, train
from gan_jax.run import command, compatibility
from gan_jax.run import setup as setup_lib
from gan_jax.study import plan
from gan_jax.types import Loss, UserError
from tests.run.test_commands import RING, complaint
from tests.study.test_study_plan import write

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'combinations.md'
BATCH_NORM = {'model.d.norm': 'batch'}
LAZY = {'r1': {'every': 2}, 'r2': {'every': 2}}
RELATIVISTIC = {'loss.name': 'rpgan'}
SPECTRAL = {'model.d.norm': 'spectral'}
CLASSES = {'conditional': True, 'conditioning.name': 'contrastive'}
# {row: (recipe, what clashes, what the line names, nearly the same)}.
EXAMPLES = {
  'gradient_batch_norm': (
    'digits',
    BATCH_NORM | {'penalties': {'r1': {}}},
    'penalties.r1 with batch norm in D',
    {'model.d.norm': 'none', 'penalties': {'r1': {}}},
  ),
  'lazy_r1_r2_relativistic': (
    'ring8',
    RELATIVISTIC | {'penalties': LAZY},
    'penalties.r1.every=2 and penalties.r2.every=2 with loss.name=rpgan',
    {'penalties': LAZY, 'loss.name': 'hinge'},
  ),
  'lazy_r1_relativistic': (
    'ring8',
    {'loss.name': 'rahinge', 'penalties': {'r2': {'every': 3}, 'r1': {}}},
    'penalties.r2.every=3 with loss.name=rahinge',
    {'loss.name': 'wasserstein', 'penalties': {'r2': {'every': 3}}},
  ),
  'weight_clip_spectral_norm': (
    'digits',
    SPECTRAL | {'penalties': {'weight_clip': {}}},
    'penalties.weight_clip with spectral norm in D',
    {'model.d.norm': 'none', 'penalties': {'weight_clip': {}}},
  ),
  'contrastive_many_classes': (
    'digits',
    CLASSES | {'batch_size': 9},
    'conditioning.name=contrastive: 10 classes in a batch of 9',
    CLASSES | {'batch_size': 10},
  ),
  'adaptive_relativistic': (
    'ring8',
    RELATIVISTIC
    | {'augment': {'name': 'instance_noise', 'then': {'name': 'apa'}}},
    'augment.then.name=apa with loss.name=rpgan',
    RELATIVISTIC | {'augment': {'name': 'apa', 'p': 0.1, 'adaptive': False}},
  ),
  'linear_loss_unbounded': (
    'ring8',
    {'loss.name': 'wasserstein', 'penalties': {}},
    'loss.name=wasserstein without a penalty on D',
    {'loss.name': 'wasserstein', 'penalties': {'gradient_penalty': {}}},
  ),
}
ROWS = {row.name: row for row in compatibility.ROWS}


def clashes(recipe, changes):
  config = command.load_config(f'{recipe}:tiny', changes)
  return setup_lib.build(config).clashes


def test_every_row_has_an_example_and_a_line_on_the_page():
  assert set(EXAMPLES) == set(ROWS)
  rows = re.findall(r'^\| `(\w+)` \|.*\| (\w+) \|$', PAGE.read_text(), re.M)
  refused = {name: row.refused for name, row in ROWS.items()}
  assert {name: how == 'refused' for name, how in rows} == refused


@pytest.mark.parametrize('row', EXAMPLES)
def test_row(row):
  recipe, changes, named, nearly = EXAMPLES[row]
  (clash,) = clashes(recipe, changes)
  assert (clash.name, clash.refused) == (row, ROWS[row].refused)
  assert clash.line.startswith(named + ': ')
  assert clash.line.endswith(f'({ROWS[row].source})')
  assert clashes(recipe, nearly) == ()


def refuses(own, *, force):
  try:
    compatibility.check(own, force=force)
  except UserError:
    return True
  return False


def test_what_is_told_is_not_refused():
  refused = compatibility.Clash('a', 'a: breaks', refused=True)
  named = compatibility.Clash('b', 'b: may break', refused=False)
  assert refuses((named, refused), force=False)
  assert not refuses((named, refused), force=True)
  assert not refuses((named,), force=False)
  assert compatibility.lines((named, refused)) == [
    'b: may break',
    'forced: a: breaks',
  ]
  assert compatibility.names((named, refused)) == ['a']


FLAGS = (
  '--config.penalties={"r1": {"every": 2}, "r2": {"every": 2}}',
  '--config.loss.name=rpgan',
)


def test_a_run_is_refused_in_one_line_and_writes_nothing(tmp_path, capfd):
  workdir = tmp_path / 'run'
  argv = [RING, f'--workdir={workdir}', *FLAGS]
  line = complaint(capfd, train.main, *argv)
  assert 'appendix E' in line and '--force' in line
  assert not workdir.exists()


def test_a_forced_run_says_so_wherever_it_is_read(tmp_path, capfd):
  workdir = tmp_path / 'run'
  argv = [RING, f'--workdir={workdir}', *FLAGS]
  train.main(['', *argv, '--force'])
  assert 'forced: penalties.r1.every=2 and' in capfd.readouterr().out
  forced = ['lazy_r1_r2_relativistic']
  assert json.loads((workdir / 'manifest.json').read_text())['forced'] == forced
  scores = workdir / 'scores.json'
  assert {tuple(r['forced']) for r in json.loads(scores.read_text())} == {
    tuple(forced)
  }
  assert json.loads((workdir / 'config.json').read_text())['force'] is True
  # It goes on, and is scored, as what it is.
  train.main(['', *argv, '--force'])
  evaluate.main(['', f'--workdir={workdir}', '--metrics=modes'])
  assert json.loads(scores.read_text())[-1]['forced'] == forced
  assert 'force' in complaint(capfd, train.main, *argv)


def test_a_usual_run_says_nothing(tmp_path, capfd):
  workdir = tmp_path / 'run'
  train.main(['', RING, f'--workdir={workdir}', '--force'])
  assert 'forced' not in capfd.readouterr().out
  manifest = json.loads((workdir / 'manifest.json').read_text())
  assert 'forced' not in manifest
  for record in json.loads((workdir / 'scores.json').read_text()):
    assert 'forced' not in record


def test_a_study_is_refused_before_anything_is_trained(tmp_path):
  given = {
    'question': 'Does laziness matter?',
    'base': 'ring8:tiny',
    'factors': {'loss.name': ('hinge', 'rpgan')},
    'overrides': {'penalties': LAZY},
    'num_seeds': 2,
    'metric': 'modes',
  }
  with pytest.raises(UserError, match="cell 'rpgan': penalties.r1.every=2 and"):
    plan.load(write(tmp_path, **given))
  given['overrides'] = {'penalties': LAZY, 'force': True}
  made = plan.load(write(tmp_path, **given))
  assert [len(cell.setup.clashes) for cell in made.cells] == [0, 1]


# What losses are like.


@pytest.mark.parametrize('name', select.available('losses'))
def test_what_a_loss_is_like(name):
  loss = select.loss(name)
  pairs = name in ('rpgan', 'ragan', 'ralsgan', 'rahinge', 'softmax')
  assert compatibility.is_relativistic(loss) == pairs
  assert compatibility.is_linear(loss) == (name == 'wasserstein')


def test_a_loss_of_ones_own_is_known_by_what_it_does():
  own = lambda real, fake: jnp.exp(fake - real)
  assert compatibility.is_relativistic(Loss(own, own))
  assert not compatibility.is_linear(Loss(own, own))
