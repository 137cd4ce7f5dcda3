"""Components of one's own are known by their syntax, not by their text."""

import hashlib
import importlib
import json
import sys

import pytest

from gan_jax import train
from gan_jax.run import command
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.run.workdir import record as record_lib
from gan_jax.run.workdir import sources, syntax
from gan_jax.storage import files
from gan_jax.types import UserError
from tests.run import test_known_sources, test_manifest
from tests.run.test_commands import RING, complaint, contents

begin, clone = test_known_sources.begin, test_manifest.clone
pytestmark = pytest.mark.usefixtures('clone')

OWN_LOSS = """
import jax.numpy as jnp
from own_losses import shared
def d_loss(real, fake): return jnp.exp(-real) + shared.scale(fake)
def g_loss(real, fake): return jnp.exp(-fake)
"""
SHARED = 'import math\nfrom . import deep\ndef scale(x): return {0} * x\n'
PENALTY = """
PER_EXAMPLE = True
def init(): return ()
def penalty(critic, real, fake, memo, *, key, weight: float = 1.0):
  return weight * (critic(real) - critic(fake)) ** 2, memo
"""
RECIPE = {'loss.name': 'own_losses.exponential'}


@pytest.fixture
def own_losses(tmp_path, monkeypatch):
  monkeypatch.syspath_prepend(tmp_path)
  folder = tmp_path / 'own_losses'
  folder.mkdir()
  (folder / '__init__.py').write_text('')
  (folder / 'exponential.py').write_text(OWN_LOSS)
  (folder / 'shared.py').write_text(SHARED.format(1))
  (folder / 'deep.py').write_text('import own_losses.exponential\n')
  yield folder
  for name in [n for n in sys.modules if n.startswith('own_losses')]:
    del sys.modules[name]


def start(workdir):
  return [
    RING, f'--workdir={workdir}',
    '--config.loss.name=own_losses.exponential', '--config.steps=2',
  ]  # fmt: skip


def test_a_component_is_known_by_its_source_and_by_what_it_uses(own_losses):
  config = command.load_config('configs/ring8.py:tiny', RECIPE)
  found = sources.outside_modules(config)
  assert set(found) == {
    'own_losses', 'own_losses.exponential', 'own_losses.shared',
    'own_losses.deep',
  }  # fmt: skip
  (own_losses / 'deep.py').write_text('x = 1\n')
  after = sources.outside_modules(config)
  assert {n for n in found if found[n] != after[n]} == {'own_losses.deep'}
  config = command.load_config('configs/ring8.py:tiny')
  assert sources.outside_modules(config) == {}


TEXT = 'def f(x, *, a=1):\n  return x + a\n'
ALIKE = {
  'a comment': '# why\n' + TEXT + '# so\n',
  'a docstring': TEXT.replace(':\n', ':\n  """Adds."""\n'),
  'a docstring of the file': '"""Sums."""\n' + TEXT,
  'blank space': TEXT.replace('x + a', '( x  +\n    a )').replace(', ', ',  '),
  'line ends': TEXT.replace('\n', '\r\n'),
  'an encoding': '# -*- coding: utf-8 -*-\n' + TEXT,
}
OTHERS = {
  'a default': TEXT.replace('1', '1.0'),
  'an operator': TEXT.replace('x +', 'x -'),
  'a name': TEXT.replace('f(', 'g('),
  'a keyword': TEXT.replace('*, ', ''),
  'one line more': TEXT + 'f = abs\n',
  'no Python': TEXT + ')',
}


@pytest.mark.parametrize('how', {**ALIKE, **OTHERS})
def test_what_changes_nothing_may_be_edited(how):
  then, now = TEXT.encode(), {**ALIKE, **OTHERS}[how].encode()
  same = syntax.digest(then) == syntax.digest(now)
  assert same == (how in ALIKE)


# Of Python 3.11 and 3.13.
GOLDEN = 'ast:467ed914b476c893d139f17a92641a5d6bfee05bc9ca712da831c4cc8f1297fa'


def test_the_hash_is_that_of_every_version_of_python():
  text = "async def f(x): return f'{x!r:>{3}}a' 'b', {**x, 'k': u'v'}\n"
  assert syntax.digest(text.encode()) == GOLDEN


def test_a_component_that_was_edited_is_refused(
  own_losses, tmp_path, capfd, begin
):
  workdir = tmp_path / 'run'
  begin(start(workdir))
  before = contents(workdir)
  (own_losses / 'shared.py').write_text(SHARED.format(2))
  line = complaint(capfd, train.main, *start(workdir))
  assert 'another own_losses.shared' in line and str(workdir) in line
  assert '--accept_source' in line
  assert contents(workdir) == before


def test_a_comment_may_be_edited_and_a_change_accepted(
  own_losses, tmp_path, begin
):
  workdir = tmp_path / 'run'
  begin(start(workdir))
  (own_losses / 'shared.py').write_text('# two\n' + SHARED.format(1))
  begin(start(workdir))
  then, now = record_lib.read(workdir)['starts']
  assert now['decides'] == {} and 'accept_source' not in now
  (own_losses / 'shared.py').write_text(SHARED.format(2))
  begin([*start(workdir), '--accept_source'])
  *_, last = record_lib.read(workdir)['starts']
  assert list(last['decides']) == ['components.own_losses.shared']
  assert last['accept_source'] is True
  begin(start(workdir))  # now it is as it was


def test_networks_are_read_where_the_loss_is_gone(
  own_losses, tmp_path, capfd, begin
):
  workdir = tmp_path / 'run'
  flags = ["--config.penalties={'own_losses.deep': {}}"]
  (own_losses / 'deep.py').write_text(PENALTY)
  begin([*start(workdir), *flags])
  config = contents_lib.read_config(workdir / 'config.json')
  assert sources.as_read(config) == config
  for name in ('exponential', 'deep'):
    (own_losses / f'{name}.py').unlink()
    sys.modules.pop(f'own_losses.{name}', None)
  importlib.invalidate_caches()
  read, _ = contents_lib.run_at(workdir, {}, only_read=True)
  assert read == config  # as it was
  said = capfd.readouterr().err
  assert 'own_losses.exponential, own_losses.deep: not here' in said
  with pytest.raises(UserError, match='own_losses.exponential'):
    contents_lib.run_at(workdir, {})  # to be trained, or replayed
  line = complaint(capfd, train.main, *start(workdir), *flags)
  assert 'own_losses.exponential' in line


@pytest.mark.parametrize(
  'name, gone',
  [
    ('hinge', False), ('json.dumps', False), ('json.nothing', True),
    ('nobody.at.all', True), ('json.decoder', False), ('', False),
  ],
)  # fmt: skip
def test_what_is_gone(name, gone):
  assert sources._is_gone(name) is gone


def test_what_was_accepted_does_not_end_a_deterministic_run(tmp_path):
  files.write_json(tmp_path / 'config.json', {})
  record = {
    'started': '', 'host': '', 'command': '', 'data_fingerprint': 'x',
    'components': {'own.loss': 'ast:1'}, 'source': 'a',
  }  # fmt: skip
  record_lib.write(tmp_path, record, {}, step=0)
  now = record | {'components': {'own.loss': 'ast:2'}, 'source': 'b'}
  changes = record_lib.check(
    tmp_path, now, deterministic=True, accept_source=True
  )
  assert changes == ['components.own.loss ast:1 -> ast:2', 'source a -> b']
  record_lib.write(tmp_path, now, {}, step=8, accept_source=True)
  assert record_lib.check(tmp_path, now, deterministic=True) == []
  other = now | {'backend': 'tpu'}
  record_lib.write(tmp_path, now | {'backend': 'cpu'}, {}, step=9)
  with pytest.raises(record_lib.UserError, match='backend cpu -> tpu'):
    record_lib.check(tmp_path, other, deterministic=True, accept_source=True)


def test_a_manifest_with_hashes_of_texts_is_understood(
  own_losses, tmp_path, capfd, begin
):
  workdir = tmp_path / 'run'
  begin(start(workdir))
  path = workdir / 'manifest.json'
  text = lambda name: (own_losses / f'{name}.py').read_bytes()
  earlier = {
    'own_losses': hashlib.sha256(text('__init__')).hexdigest(),
    **{
      f'own_losses.{name}': hashlib.sha256(text(name)).hexdigest()
      for name in ('exponential', 'shared', 'deep')
    },
  }
  manifest = json.loads(path.read_text())
  files.write_json(path, manifest | {'components': earlier})
  begin(start(workdir))
  assert record_lib.read(workdir)['starts'][-1]['decides'] == {}
  files.write_json(path, manifest | {'components': earlier})
  (own_losses / 'deep.py').write_text('import own_losses.exponential  # !\n')
  line = complaint(capfd, train.main, *start(workdir))
  assert 'another own_losses.deep' in line
