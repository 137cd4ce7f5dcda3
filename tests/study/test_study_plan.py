"""Studies as files: resolved, checked, identified; and every shipped one."""

import ast
import pathlib
import textwrap

import jax
import numpy as np
import pytest

from gan_jax.run import examples
from gan_jax.study import identity, plan
from gan_jax.types import UserError

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUDIES = sorted((ROOT / 'experiments').glob('*/study.py'))
LOSSES = ('cross_entropy', 'lsgan', 'hinge')


@pytest.fixture(autouse=True)
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)


def write(folder, **told):
  """A study file of a tiny ring8; keys as given."""
  told = {
    'question': 'Does the loss matter?',
    'base': 'configs/ring8.py:tiny',
    'factors': {'loss.name': LOSSES},
    'num_seeds': 3,
    'metric': 'modes',
  } | told
  folder.mkdir(exist_ok=True)
  path = folder / 'study.py'
  path.write_text(f'def get_study():\n  return {told!r}\n')
  return path


def load(folder, **told):
  return plan.load(write(folder / 'mine', **told))


def test_a_study_resolves_its_cells(tmp_path):
  study = load(tmp_path, also=('high_quality',), overrides={'steps': 5})
  assert study.name == 'mine' and study.metrics == ('modes', 'high_quality')
  assert [c.name for c in study.cells] == list(LOSSES)
  for cell in study.cells:
    assert cell.config['loss'] == {'name': cell.name}
    assert cell.config['num_seeds'] == 3 and cell.config['steps'] == 5
    assert cell.config['metrics'] == ('modes', 'high_quality')
  assert study.baseline == 'cross_entropy'
  assert [c.name for c in study.contrasts] == ['lsgan', 'hinge']


def test_cells_share_their_data(tmp_path, monkeypatch):
  """Each had a copy: 294 MB of CIFAR-10."""
  opened, load_examples = [], examples.load

  def counted(options):
    opened.append(options['name'])
    return load_examples(options)

  monkeypatch.setattr(examples, 'load', counted)
  study = load(tmp_path, factors={'loss.name': ('hinge', 'lsgan', 'ragan')})
  assert opened == ['ring8']
  of_cells = {id(cell.setup.dataset.read) for cell in study.cells}
  assert len(study.cells) == 3 and len(of_cells) == 1


def test_the_usual_metrics_are_those_of_the_data(tmp_path):
  assert load(tmp_path, metric='').metrics == ('modes', 'high_quality')


def test_whole_dicts_are_levels_and_replace_what_was_there(tmp_path):
  study = load(
    tmp_path,
    factors={'penalties': {'none': {}, 'R2': {'r2': {'gamma': 0.5}}}},
    baseline={'penalties': {}},
  )
  assert [c.config['penalties'] for c in study.cells] == [
    {}, {'r2': {'gamma': 0.5}}
  ]  # fmt: skip
  assert study.baseline == 'none'


def test_a_grid_is_tested_for_effects_and_interactions(tmp_path):
  study = load(
    tmp_path,
    factors={'loss.name': LOSSES, 'penalties': ({}, {'r1': {'gamma': 0.1}})},
    baseline={'loss.name': 'lsgan', 'penalties': {}},
  )
  assert study.baseline == 'lsgan, none'
  kinds = [c.kind for c in study.contrasts]
  assert [kinds.count(k) for k in ('cell', 'main', 'interaction')] == [5, 3, 2]
  names = {cell.name for cell in study.cells}
  for contrast in study.contrasts:
    assert set(contrast.weights) <= names
    assert sum(contrast.weights.values()) == pytest.approx(0)


def test_one_at_a_time_leaves_out_what_is_the_base(tmp_path):
  study = load(tmp_path, design='one_at_a_time')
  assert [c.name for c in study.cells] == ['base', 'lsgan', 'hinge']


def test_seeds_are_paired_where_shapes_agree(tmp_path):
  first, second, _ = load(tmp_path).cells
  a, b = (cell.setup.init() for cell in (first, second))
  same = jax.tree.map(np.array_equal, a.players, b.players)
  assert all(jax.tree.leaves(same))
  # Seed by seed the weights differ.
  kernel = jax.tree.leaves(a.players['g'].params)[-1]
  assert not np.array_equal(kernel[0], kernel[1])
  wide = load(tmp_path, factors={'model.d.hidden': ((16,), (8,))}).cells[1]
  other = wide.setup.init().players['g']
  same = jax.tree.map(np.array_equal, a.players['g'], other)
  assert all(jax.tree.leaves(same))


def test_identity_is_what_decides_the_numbers(tmp_path):
  base = load(tmp_path).cells[0]
  one = lambda **changes: identity.of_cell(
    {**base.config, **changes}, base.setup.dataset.fingerprint
  )
  assert one() == base.identity
  for name, value in {
    'report_every': 3, 'save_every': 1, 'parallel': 'jit', 'num_seeds': 9,
    'metrics': ('high_quality',), 'eval_every': 2, 'seed': 5,
    'data': {'name': 'ring8', 'dir': 'elsewhere', 'memory_mb': 3},
  }.items():  # fmt: skip
    assert one(**{name: value}) == base.identity, name
  for name, value in {
    'steps': 9, 'batch_size': 4, 'loss': {'name': 'hinge'}, 'penalties': {},
    'eval_samples': 65, 'data': {'name': 'ring8', 'std': 0.02},
    'dtype': 'bfloat16', 'stop_when': {'metric': 'modes', 'above': 9},
    'features': 'pixels',
  }.items():  # fmt: skip
    assert one(**{name: value}) != base.identity, name
  assert identity.of_cell(base.config, 'other data') != base.identity
  assert base.run(0) != base.run(1)
  assert base.run(1) == identity.of_run(base.identity, 1)
  # With a goal it matters how often a run is scored.
  goal = {'stop_when': {'metric': 'modes', 'above': 9}}
  assert one(**goal, eval_every=2) != one(**goal, eval_every=3)


OWN_LOSS = """
import jax.numpy as jnp
def d_loss(real, fake): return {0} * jnp.exp(-real) + jnp.exp(fake)
def g_loss(real, fake): return jnp.exp(-fake)
"""


def test_a_loss_beside_the_study_and_its_content(tmp_path):
  folder = tmp_path / 'study_with_own_loss'
  factors = {'loss.name': ('lsgan', 'study_with_own_loss.exponential')}
  path = write(folder, factors=factors)
  loss = folder / 'exponential.py'
  loss.write_text(OWN_LOSS.format(1))
  first = plan.load(path)
  loss.write_text(OWN_LOSS.format(2))
  second = plan.load(path)
  ids = [[c.identity for c in study.cells] for study in (first, second)]
  assert ids[0][0] == ids[1][0] and ids[0][1] != ids[1][1]


MISTAKES = {
  'no such key': ({'factors': {'los.name': LOSSES}}, ('los.name', "'loss'")),
  'no such option': (
    {'factors': {'loss.nmae': LOSSES}}, ('loss', 'nmae')
  ),
  'no such level': ({'factors': {'loss.name': ('foo',)}}, ("'foo'", 'hinge')),
  'a level of another type': (
    {'factors': {'batch_size': ('many',)}}, ('batch_size', 'whole number')
  ),
  'a name that is a number': ({'factors': {'loss.name': (3,)}}, ('loss.name',)),
  'an empty grid': ({'factors': {}}, ('factors is empty',)),
  'an empty factor': ({'factors': {'loss.name': ()}}, ('one level or more',)),
  'one seed to be tested': (
    {'num_seeds': 1, 'baseline': {'loss.name': 'lsgan'}},
    ('num_seeds=1', 'cannot be tested'),
  ),
  'no seed': ({'num_seeds': 0}, ('num_seeds=0', 'at least 1')),
  'half a seed': ({'num_seeds': 1.5}, ('num_seeds=1.5', 'whole number')),
  'no such metric': ({'metric': 'fidd'}, ("'fidd'", 'modes')),
  'several metrics in one': ({'metric': 'prdc'}, ('several scores', 'recall')),
  'no such baseline': (
    {'baseline': {'loss.name': 'minimax'}},
    ('baseline', 'is not a cell', 'lsgan'),
  ),
  'no such baseline by name': (
    {'baseline': 'x'}, ("'x' is not a cell", 'hinge'),
  ),
  'no such base': ({'base': 'configs/nothere.py'}, ('configs/nothere.py',)),
  'no base': ({'base': None}, ('base=None', 'expected a config')),
  'no such study key': ({'metrics': ()}, ('metrics', "'metric'")),
  'how it is scored': (
    {'factors': {'eval_samples': (8, 16)}}, ('eval_samples', 'trained')
  ),
  'seeds as a factor': ({'factors': {'num_seeds': (1,)}}, ('num_seeds',)),
  'seeds as an override': (
    {'overrides': {'num_seeds': 3}}, ('num_seeds', 'in the study itself')
  ),
  'other data': (
    {'factors': {'data.std': (0.01, 0.1)}}, ('different data', 'std=0.1')
  ),
  'no text': ({'question': 3}, ('question=3', 'a string')),
}  # fmt: skip


@pytest.mark.parametrize('name', MISTAKES)
def test_a_mistake_is_told_in_one_line(name, tmp_path):
  told, words = MISTAKES[name]
  with pytest.raises(UserError) as error:
    load(tmp_path, **told)
  line = str(error.value)
  assert all(word in line for word in words), line
  assert '\n' not in line


FILES = {
  'syntax': ('def get_study(:\n', 'SyntaxError'),
  'function': ('x = 1\n', 'get_study'),
  'kind': ('def get_study():\n  return 3\n', 'expected a dict'),
}


@pytest.mark.parametrize('name', FILES)
def test_a_wrong_study_file(name, tmp_path):
  text, word = FILES[name]
  path = tmp_path / 'study.py'
  path.write_text(text)
  with pytest.raises(UserError, match=word):
    plan.load(path)


def test_a_study_that_is_not_there():
  with pytest.raises(UserError, match='no such file; here are experiments/'):
    plan.load('experiments/nothere/study.py')


def test_there_are_studies():
  assert len(STUDIES) >= 5


@pytest.mark.parametrize('path', STUDIES, ids=lambda p: p.parent.name)
def test_a_shipped_study_imports_nothing_and_has_its_results(path):
  tree = ast.parse(path.read_text())
  imported = [
    alias.name if isinstance(node, ast.Import) else node.module
    for node in ast.walk(tree)
    if isinstance(node, (ast.Import, ast.ImportFrom))
    for alias in node.names
  ]
  assert imported == []
  for name in ('results.jsonl', 'table.md', 'README.md'):
    assert (path.parent / name).stat().st_size > 0, name


@pytest.mark.parametrize('path', STUDIES, ids=lambda p: p.parent.name)
def test_a_shipped_study_is_a_short_file(path):
  assert len(textwrap.dedent(path.read_text()).splitlines()) <= 60
