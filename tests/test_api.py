"""gan_jax from Python: what the package offers is documented, typed, quiet."""

import doctest
import inspect
import subprocess
import sys
import typing

import numpy as np
import pytest

import gan_jax
from gan_jax import api, recipes, sample
from gan_jax.run.trained import Trained
from tests.bad_input import finished_run


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
  assert np.unique(ring.latents(50)).size == 50 * z.shape[1]
  assert ring.class_names == () and ring.seeds == (0,)


def test_the_discriminator_sees_each_sample_by_itself(ring):
  x = ring.sample(6)
  logits = ring.discriminate(x)
  assert logits.shape == (6,) and np.ptp(logits) > 0
  np.testing.assert_allclose(ring.discriminate(x[4:]), logits[4:], atol=1e-6)


MISTAKES = {
  'n=0': lambda gan: gan.sample(0),
  'seed=-1': lambda gan: gan.sample(1, seed=-1),
  'run_seed=3: the run has the seed 0': lambda gan: gan.sample(1, run_seed=3),
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


def test_commands_are_functions_too():
  import gan_jax.train as command

  assert gan_jax.train is command and callable(command.main)
  assert inspect.getdoc(command).startswith('Trains')
  assert gan_jax.Trained is Trained
