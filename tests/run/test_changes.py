"""Another component by a flag: what it lacks is left out, and said so."""

import pytest

from gan_jax.run import command, setup
from gan_jax.run.config import changes, recipe
from gan_jax.study import plan
from gan_jax.types import UserError
from tests.study.test_study_plan import write


def changed(overrides, name='digits:tiny'):
  """(the config as a dict, the lines about it)."""
  config = recipe.load(name)
  lines = changes.override(config, overrides.items())()
  return config.to_dict(), lines


LEFT = {
  'optimizer': (
    {'optim.g.name': 'rmsprop'},
    ['optim.g.name=rmsprop: left out b1, which rmsprop lacks'],
  ),
  'both': (
    {'optim.g.name': 'sgd', 'optim.d.name': 'adagrad'},
    [
      'optim.g.name=sgd: left out b1, which sgd lacks',
      'optim.d.name=adagrad: left out b1, which adagrad lacks',
    ],
  ),
  'of contrib': (
    {'optim.d.name': 'dog'},
    ['optim.d.name=dog: left out b1, which dog lacks'],
  ),
  'model': (
    {'model.name': 'mlp'},
    ['model.name=mlp: left out g.widths, d.widths, which mlp lacks'],
  ),
  'nothing to leave out': ({'optim.g.name': 'lion'}, []),
  'nothing changed': ({'optim.g.name': 'adam', 'model.name': 'dcgan'}, []),
  'options along with it': (
    {'optim.g.name': 'sgd', 'optim.g.momentum': 0.5, 'model.g.norm': 'none'},
    ['optim.g.name=sgd: left out b1, which sgd lacks'],
  ),
  'a whole group': ({'optim.g': {'name': 'sgd', 'learning_rate': 0.1}}, []),
}


@pytest.mark.parametrize('case', LEFT)
def test_what_the_new_one_lacks_is_left_out_and_said(case):
  overrides, lines = LEFT[case]
  config, said = changed(overrides)
  assert sorted(said) == sorted(lines)
  setup.build(config)


def test_every_group_with_a_name():
  config = recipe.load('ring8:tiny')
  early = {
    'loss': {'name': 'fgan', 'divergence': 'kl'},
    'augment': {'name': 'flip', 'p': 0.5},
    'dynamics': {'name': 'alternating'},
    'data': {'name': 'ring8', 'std': 0.02, 'memory_mb': 3},
    'latent': {'name': 'normal', 'dim': 8},
    'optim.g.schedule': {'name': 'cosine_decay_schedule', 'decay_steps': 4},
  }
  changes.override(config, early.items())()
  late = {
    'loss.name': 'hinge',
    'data.name': 'digits',
    'optim.g.schedule.name': 'exponential_decay',
    'latent.name': 'sphere',
  }
  lines = changes.override(config, late.items())()
  assert sorted(lines) == [
    'data.name=digits: left out std, which digits lacks',
    'loss.name=hinge: left out divergence, which hinge lacks',
    'optim.g.schedule.name=exponential_decay: left out decay_steps, which'
    ' exponential_decay lacks',
  ]
  assert config.data.memory_mb == 3 and config.latent.dim == 8


@pytest.mark.parametrize(
  'overrides, words',
  [
    ({'optim.g.name': 'rmsprop', 'optim.g.b1': 0.5}, 'optim.g.*b1.*rmsprop'),
    ({'model.name': 'mlp', 'model.g.widths': (8, 4)}, 'model.g.widths: unk'),
    ({'loss.name': 'hinge', 'loss.smoothing': 0.1}, 'loss.*smoothing'),
    ({'optim.g.name': 'rmsprp'}, "optim.g.name='rmsprp'"),
  ],
)
def test_what_is_given_with_the_name_is_refused(overrides, words):
  config, _ = changed(overrides)
  with pytest.raises(UserError, match=words):
    setup.build(config)


def test_a_level_of_a_study_does_the_same(tmp_path):
  path = write(
    tmp_path,
    base='configs/digits.py:tiny',
    overrides={'features': 'pixels'},
    metric='fid',
    also=(),
    factors={'model.name': ('dcgan', 'mlp'), 'optim.d.name': ('adam', 'lion')},
  )
  cells = {cell.name: cell for cell in plan.load(path).cells}
  one, other = cells['dcgan, adam'], cells['mlp, lion']
  assert one.left_out == () and 'widths' in one.config['model']['g']
  assert other.left_out == (
    'model.name=mlp: left out g.widths, d.widths, which mlp lacks',
  )
  assert 'widths' not in other.config['model']['g']
  assert other.config['optim']['d']['b1'] == 0.5


# The dotted name of a penalty, in the form of a flag.


@pytest.mark.parametrize(
  'key, where',
  [
    ('penalties.r1.gamma', ('r1', 'gamma')),
    ('penalties.tests.encoder_model.weight', ('tests.encoder_model', 'weight')),
    ('penalties.json.decoder.weight', ('json.decoder', 'weight')),
    ('penalties.not.there.weight', ('not.there', 'weight')),
    ('penalties.known.one.weight', ('known.one', 'weight')),
  ],
)
def test_the_key_of_a_penalty_may_be_dotted(key, where):
  config = recipe.load('ring8:tiny')
  config.penalties = recipe.group({'known.one': {'weight': 1.0}})
  recipe.override(config, key, '0.5')
  assert config.penalties[where[0]][where[1]] == 0.5


# Steps as keys.


STEPS = {
  'numbers': {4: 0.1, 12: 0.5},
  'texts': {'4': 0.1, '12': 0.5},
}


@pytest.mark.parametrize('case', STEPS)
def test_steps_are_keys_in_files_flags_and_json(case):
  schedule = {
    'name': 'piecewise_constant_schedule',
    'boundaries_and_scales': STEPS[case],
  }
  texts = {**schedule, 'boundaries_and_scales': STEPS['texts']}
  config, _ = changed({'optim.g.schedule': str(schedule)})
  assert config['optim']['g']['schedule'] == texts
  of_file = recipe.load('ring8:tiny')
  of_file.optim.g = {'name': 'sgd', 'learning_rate': 1.0, 'schedule': schedule}
  of_file = recipe.complete(of_file).to_dict()
  assert of_file['optim']['g']['schedule'] == texts
  setup.build(of_file)


def test_one_boundary_by_a_flag_of_its_own():
  key = 'optim.g.schedule.boundaries_and_scales.4'
  name = 'optim.g.schedule.name'
  config = command.load_config(
    'ring8:tiny', {name: 'piecewise_constant_schedule', key: '0.1'}
  )
  setup.build(config)
  with pytest.raises(UserError, match='boundaries_and_scales=.*step'):
    wrong = key.replace('.4', '.half')
    setup.build(
      command.load_config(
        'ring8:tiny', {name: 'piecewise_constant_schedule', wrong: '0.1'}
      )
    )
