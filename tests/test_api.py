"""gan_jax from Python: what the package offers is documented, typed, quiet."""

import doctest
import inspect
import subprocess
import sys
import typing

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import FrozenConfigDict

import gan_jax
from gan_jax import api, recipes, sample
from gan_jax.run import sample_encoded, setup
from gan_jax.run.config import recipe
from gan_jax.run.trained import Trained
from gan_jax.storage import memory
from tests.bad_input import finished_run
from tests.untrained import untrained


@pytest.fixture(scope='module')
def ring():
  return gan_jax.load(finished_run())


@pytest.mark.slow  # the rest of this file uses a run that others share
def test_the_examples_of_the_manual_run(tmp_path, capfd):
  """All of api's docstring: a run is trained, opened, drawn from, scored."""
  names = {'workdir': tmp_path / 'run'}
  for module in (api, recipes):
    found = doctest.testmod(module, extraglobs=names, report=True)
    assert found.attempted > 3 and not found.failed
  assert capfd.readouterr().err == ''


def test_importing_the_package_imports_no_jax():
  code = 'import sys, gan_jax; print("jax" in sys.modules, dir(gan_jax))'
  words = [sys.executable, '-c', code]
  out = subprocess.run(words, capture_output=True, text=True, check=True)
  assert out.stdout.startswith('False')
  assert all(repr(name) in out.stdout for name in gan_jax.__all__)


def test_every_name_of_the_package_is_documented_and_typed():
  for name in gan_jax.__all__:
    value = getattr(gan_jax, name)
    assert inspect.getdoc(value), name
    assert callable(value) or inspect.ismodule(value), name
  for function in (api.train, api.load, api.evaluate, api.ablate):
    hints = typing.get_type_hints(function)
    assert set(hints) == {*inspect.signature(function).parameters, 'return'}
  with pytest.raises(AttributeError, match='no attribute .trian.'):
    _ = gan_jax.trian


def test_it_draws_what_the_command_draws(ring, tmp_path):
  argv = ['sample', f'--workdir={finished_run()}', '--num=300', '--seed=3']
  sample.main([*argv, f'--out={tmp_path}/a.npz'])
  with np.load(tmp_path / 'a.npz') as file:
    np.testing.assert_array_equal(ring.sample(300, seed=3), file['samples'])


def test_samples_are_what_the_generator_makes_of_latents(ring):
  z = ring.latents(7, seed=5)
  made = ring.generate(z)
  assert made.shape == (7, *ring.shape) and made.dtype == np.float32
  np.testing.assert_allclose(made[2:5], ring.generate(z[2:5]), atol=1e-6)
  np.testing.assert_allclose(made, ring.sample(7, seed=5), atol=1e-6)
  assert np.unique(ring.latents(50)).size == 50 * z.shape[1]
  assert ring.class_names == () and ring.seeds == (0,)


def test_the_discriminator_sees_each_sample_by_itself(ring):
  x = ring.sample(6)
  logits = ring.discriminate(x)
  assert logits.shape == (6,) and np.ptp(logits) > 0
  np.testing.assert_allclose(ring.discriminate(x[4:]), logits[4:], atol=1e-6)


def test_the_networks_are_parts_of_what_somebody_compiles(ring):
  z = ring.latents(4)
  realism = lambda z: ring.discriminate(ring.generate(z)).sum()
  slopes = jax.jit(jax.grad(realism))(z)
  step = np.zeros_like(z)
  step[1, 0] = 1e-2
  by_differences = (realism(z + step) - realism(z - step)) / 2e-2
  np.testing.assert_allclose(slopes[1, 0], by_differences, rtol=0.05)


@pytest.fixture(scope='module')
def encoder():
  """Two seeds of a model with an encoder, not trained."""
  small = {player: {'hidden': (4,)} for player in 'gde'}
  config = recipes.load('ring8:tiny', num_seeds=2).to_dict()
  config['model'] = {'name': 'bigan', **small}
  return untrained(config)


def test_codes_are_the_encoders_and_go_back_through_the_generator(encoder):
  x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
  code = encoder.encode(x, run_seed=1)
  own = jax.tree.map(lambda leaf: leaf[1], encoder._state.ema['e'])
  net = encoder._game.nets['e']
  by_hand = net.apply({'params': own['params'], **own['vars']}, x, train=False)
  np.testing.assert_allclose(code, by_hand, atol=1e-6)
  assert code.shape == encoder.latents(5).shape and code.dtype == np.float32
  made = encoder.reconstruct(x, run_seed=1)
  want = encoder.generate(code, run_seed=1)
  np.testing.assert_allclose(made, want, atol=1e-6)
  by_command = sample_encoded.reconstruct(
    encoder._setup, encoder._state, x, None, run_seed=1
  )
  np.testing.assert_allclose(made, by_command, atol=1e-6)
  assert not np.allclose(made, encoder.reconstruct(x), atol=1e-3)
  whole = jax.jit(lambda x: encoder.reconstruct(x, run_seed=1))(x)
  np.testing.assert_allclose(whole, made, atol=1e-6)


def test_samples_that_have_no_code(encoder, ring):
  for call in (ring.encode, ring.reconstruct):
    with pytest.raises(gan_jax.UserError, match='^encode: model mlp has no en'):
      call(np.zeros((3, 2)))
  for call in (encoder.encode, encoder.reconstruct):
    with pytest.raises(gan_jax.UserError, match=r'x has the shape \[3, 5\]: '):
      call(np.zeros((3, 5)))
    with pytest.raises(gan_jax.UserError, match='run_seed=2: .* 0 to 1'):
      call(np.zeros((3, 2)), run_seed=2)
    with pytest.raises(gan_jax.UserError, match='knows no labels'):
      call(np.zeros((3, 2)), 1)


SEEN = {  # labels as people may write them, of a run with the classes 0 to 9
  'a name': '7',
  'a number of JAX': jnp.int32(7),
  'one for each': np.array(['7', '7']),
  'of each a number': jnp.array([7, 7]),
}


@pytest.fixture(scope='module')
def labelled():
  """What turns labels into numbers, of a run that never was."""
  run = Trained.__new__(Trained)
  run.class_names, run.attributes = tuple('0123456789'), ()
  return lambda label: run._labels(label, 2)


@pytest.mark.parametrize('which', SEEN)
def test_a_class_by_name_or_number(which, labelled):
  assert labelled(SEEN[which]).tolist() == [7, 7]


@pytest.mark.parametrize(
  'label', [7.0, True, -1, 10, '7,7', [1, None], [7], {}, np.eye(2)]
)
def test_what_is_no_class_is_refused(label, labelled):
  with pytest.raises(gan_jax.UserError, match='label'):
    labelled(label)


ARE = {'data': {'name': 'ring8'}, 'model': {'name': 'mlp'}}
MISTAKES = {
  'n=0': lambda gan: gan.sample(0),
  'seed=-1': lambda gan: gan.sample(1, seed=-1),
  'run_seed=3: expected 0': lambda gan: gan.sample(1, run_seed=3),
  'n=2.5: expected a whole number': lambda gan: gan.sample(2.5),
  "seed='x'": lambda gan: gan.latents(2, seed='x'),
  r'z has the shape \[3, 5\]: expected \[N': lambda gan: gan.generate(
    np.zeros((3, 5))
  ),
  'z: expected numbers': lambda gan: gan.generate('noise'),
  r'x has the shape \[0, 2\]': lambda gan: gan.discriminate(np.zeros((0, 2))),
  "'': expected a path": lambda gan: gan_jax.load(''),
  'None: expected a path': lambda gan: gan_jax.train(ARE, None),
  '7: expected a path': lambda gan: gan_jax.ablate('study.py', 7),
  "'digits': expected a group": lambda gan: gan_jax.train('digits', '/nowhere'),
  'config=None': lambda gan: gan_jax.train(None, '/nowhere'),
  'a name or a path': lambda gan: recipes.load(None),
  'draws=0': lambda gan: gan_jax.evaluate(finished_run(), draws=0),
  "num_samples='5'": lambda gan: gan_jax.evaluate('run', num_samples='5'),
  'metrics=3': lambda gan: gan_jax.evaluate('run', metrics=3),
  'prdc.kk: unknown': lambda gan: gan_jax.evaluate(
    'run', metrics={'prdc': {'kk': 3}}
  ),
  'workers=-1': lambda gan: gan_jax.ablate('study.py', 'run', workers=-1),
  'knows no labels': lambda gan: gan.sample(2, label=1),
  r'expected \[N, 2\]': lambda gan: gan.discriminate(np.zeros((3, 5))),
  'no run here': lambda gan: gan_jax.load('/nowhere'),
  'no such key': lambda gan: recipes.load('digits', stepps=3),
  'no such file or recipe': lambda gan: recipes.load('dogits'),
  'lacks data, model': lambda gan: gan_jax.train({'steps': 3}, '/nowhere'),
  'does not exist': lambda gan: gan_jax.evaluate(
    finished_run(), metrics=('fidd',)
  ),
  'no such file': lambda gan: gan_jax.ablate('/no/study.py', '/nowhere'),
}


@pytest.mark.parametrize('words', MISTAKES)
def test_a_mistake_is_one_line(words, ring):
  with pytest.raises(gan_jax.UserError, match=words) as caught:
    MISTAKES[words](ring)
  assert len(str(caught.value).splitlines()) == 1


def test_metrics_by_name_or_with_options():
  one, two = (api._asked(m) for m in ('fid, prdc', ['fid', 'prdc']))
  assert one == two == (('fid', 'prdc'), ())
  asked = api._asked({'fid': {}, 'prdc': {'k': 3}})
  assert asked == (('fid', 'prdc'), (('k', 3),))


def test_numbers_of_numpy_and_jax_are_numbers():
  given = {
    'steps': np.int64(3),
    'optim': {'g': {'learning_rate': jnp.float32(0.5)}},
    'metrics': [np.str_('fid')],
  }
  made = recipe.complete(FrozenConfigDict(ARE | given)).to_dict()
  assert type(made['steps']) is int and made['metrics'] == ('fid',)
  assert made['optim']['g']['learning_rate'] == 0.5
  assert type(made['optim']['g']['learning_rate']) is float
  config = recipes.load('ring8', **{'optim.d.b1': np.float64(0.25)})
  assert type(config.optim.d.b1) is float


def test_data_and_model_are_enough_for_a_config():
  """The least that docs/python.md shows."""
  made = setup.build(recipe.complete(ARE).to_dict())
  assert set(made.init().players) == {'g', 'd'}


def test_a_run_does_not_begin_in_the_folder_of_a_study(tmp_path):
  (tmp_path / 'study.json').write_text('{}')
  with pytest.raises(gan_jax.UserError, match='holds a study, not a run'):
    gan_jax.train(recipes.load('ring8:tiny'), tmp_path)
  assert not (tmp_path / 'config.json').exists()


def test_more_samples_than_the_machine_holds_are_refused(ring, monkeypatch):
  monkeypatch.setattr(memory, 'memory', lambda: 4 * 2 * 100)
  with pytest.raises(gan_jax.UserError, match='n=101: .* GB are needed'):
    ring.sample(101)


def test_commands_are_functions_too():
  import gan_jax.train as command

  assert gan_jax.train is command and callable(command.main)
  assert inspect.getdoc(command).startswith('Trains')
  assert gan_jax.Trained is Trained
