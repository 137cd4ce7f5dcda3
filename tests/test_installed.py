"""The package as it is installed: from an empty folder, without the clone."""

import configparser
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUDY = """
def get_study():
  return {
    'question': 'Does the loss matter?',
    'base': 'ring8:tiny',
    'factors': {'loss.name': ('hinge', 'mine.softer')},
    'num_seeds': 2,
  }
"""
LOSS = """
import jax


def d_loss(real_logits, fake_logits):
  return jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)


def g_loss(real_logits, fake_logits):
  return jax.nn.softplus(-fake_logits) / 2
"""
RECIPE = """
from gan_jax import recipes


def get_config():
  return recipes.load('digits:tiny', features='pixels', metrics=('fid',))
"""
LOOK = """
import gan_jax
gan = gan_jax.load('moved')
print(gan, gan.sample(3).shape, gan.scores[0]['metric'])
"""


def install(target):
  """What setup.cfg says is installed: its packages and their data."""
  parser = configparser.ConfigParser()
  parser.read(ROOT / 'setup.cfg')
  folders = dict(
    map(str.strip, line.split('='))
    for line in parser['options']['package_dir'].split('\n')
    if line
  )
  data = parser['options.package_data']
  for package in parser['options']['packages'].split():
    own = folders.get(package, package.replace('.', '/'))
    patterns = ['*.py', *data.get(package, '').replace(',', ' ').split()]
    to = target / package.replace('.', '/')
    to.mkdir(parents=True, exist_ok=True)
    for pattern in patterns:
      for file in (ROOT / own).glob(pattern):
        shutil.copy(file, to / file.name)


@pytest.mark.slow
def test_everything_runs_from_an_empty_folder(tmp_path):
  site, here = tmp_path / 'site', tmp_path / 'here'
  install(site)
  here.mkdir()
  env = {**os.environ, 'PYTHONPATH': str(site), 'JAX_PLATFORMS': 'cpu'}
  env['GAN_JAX_CACHE'] = str(tmp_path / 'cache')

  def run(*words):
    words = [sys.executable, *words]
    done = subprocess.run(
      words, cwd=here, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout

  (here / 'mine.py').write_text(RECIPE)
  run('-m', 'gan_jax.train', '--config=mine.py', '--workdir=run')
  (here / 'run').rename(here / 'moved')
  assert 'fid' in run('-m', 'gan_jax.evaluate', '--workdir=moved')
  run('-m', 'gan_jax.sample', '--workdir=moved', '--out=a.png', '--num=16')
  assert (here / 'a.png').stat().st_size > 500
  assert run('-c', LOOK).split() == (
    'Trained(digits dcgan, step 8) (3, 8, 8, 1) fid'.split()
  )
  (here / 'mine.py').unlink()
  (here / 'mine').mkdir()
  (here / 'mine' / 'study.py').write_text(STUDY)
  (here / 'mine' / 'softer.py').write_text(LOSS)
  run('-m', 'gan_jax.ablate', '--study=mine/study.py', '--workdir=study')
  assert 'mine.softer' in (here / 'study' / 'table.md').read_text()
