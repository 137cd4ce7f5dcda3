"""Config files and study files that misbehave: refused, nothing written."""

import os

import pytest

from gan_jax import ablate, train
from tests.bad_input import ROOT, refused

NAN, INF = float('nan'), float('inf')


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
  """In an empty folder: what a command leaves there is seen."""
  monkeypatch.chdir(tmp_path)
  return tmp_path


# Config files that misbehave

START = 'def get_config(arg=""):\n  '
FILES = {
  'exits': (START + 'raise SystemExit(0)', 'SystemExit'),
  'exits at once': ('import sys\nsys.exit("bye")', 'SystemExit'),
  'stops': (START + 'raise GeneratorExit', 'GeneratorExit'),
  'imports itself': ('import loop_a\nloop_a.x', 'loop_a'),
  'runs for ever': ('def f():\n  f()\nf()', 'RecursionError'),
  'asserts': ('assert False', 'AssertionError'),
  'many lines': (START + 'raise ValueError("a\\nb\\n\\x1b[31mc")', 'a b'),
  'no function': ('get_config = 3', 'not callable'),
  'no argument': ('def get_config(a, b): pass', 'argument'),
  'nothing': (START + 'return None', 'file.py'),
  'a list': (START + 'return [1, 2]', 'file.py'),
  'a text': (START + 'return "configs"', 'file.py'),
  'empty': (START + 'return {}', 'lacks'),
  'keys that are numbers': (
    START + 'return {1: 2, "a": 3}',
    'file.py: TypeError',
  ),
  'a circle': (START + 'd = {}\n  d["a"] = d\n  return d', 'nested too deeply'),
  'no file': ('', 'get_config'),
  'zeros': ('\0\0', 'file.py'),
  'latin': ('# \xe9\xff', 'file.py'),
  'tabs': ('if 1:\n  x = 1\n\ty = 2', 'file.py'),
}


@pytest.mark.parametrize('name', FILES)
def test_refused_config_file(name, here, capfd, monkeypatch):
  text, word = FILES[name]
  monkeypatch.syspath_prepend(here)
  (here / 'loop_a.py').write_text('import loop_b\n')
  (here / 'loop_b.py').write_text('import loop_a\nloop_a.x')
  (here / 'file.py').write_bytes(text.encode('latin1'))
  argv = [f'--config={here}/file.py', f'--workdir={here}/run']
  refused(capfd, train.main, argv, word, root=here)


PATHS = {
  'folder.py': 'no such file',
  'dangling.py': 'no such file',
  'loop.py': 'no such file',
  'pipe.py': 'no such file',
  'x' * 300: 'no such file',
  'new\nline.py': 'file.py',
}


@pytest.mark.parametrize('name', PATHS, ids=ascii)
def test_refused_config_path(name, here, capfd):
  (here / 'folder.py').mkdir()
  (here / 'dangling.py').symlink_to(here / 'absent.py')
  (here / 'loop.py').symlink_to(here / 'loop.py')
  os.mkfifo(here / 'pipe.py')
  argv = [f'--config={here}/{name}', f'--workdir={here}/run']
  refused(capfd, train.main, argv, '--config', root=here)


# Studies

GOOD = {
  'question': 'Does it matter?',
  'base': f'{ROOT}/configs/ring8.py:tiny',
  'factors': {'loss.name': ('hinge', 'lsgan')},
  'num_seeds': 2,
}


def told(**changes):
  names = 'nan, inf = float("nan"), float("inf")'
  return f'{names}\ndef get_study():\n  return {GOOD | changes!r}'


STUDIES = {
  'good': (told(), ''),
  'exits': ('raise SystemExit(0)', 'SystemExit'),
  'exits late': ('def get_study(): exit()', 'SystemExit'),
  'raises': ('1 / 0', 'ZeroDivisionError'),
  'imports itself': ('import loop_a', 'loop_a'),
  'runs for ever': ('def get_study(): return get_study()', 'RecursionError'),
  'wants arguments': ('def get_study(a): return {}', 'argument'),
  'nothing': ('def get_study(): pass', 'None'),
  'a list': ('def get_study(): return [1]', 'expected a dict'),
  'a function': ('def get_study(): return get_study', 'expected a dict'),
  'many lines': ('def get_study(): return "a\\nb" * 9', 'expected a dict'),
  'not callable': ('get_study = {}', 'not callable'),
  'keys that are numbers': ('def get_study(): return {1: 2}', '1'),
  'zeros': ('\0', 'study.py'),
  'base with a wrong argument': (told(base=GOOD['base'] + 'x'), 'tinyx'),
  'base is a folder': (told(base=str(ROOT)), 'study: base'),
  'base is empty': (told(base=''), 'base'),
  'factors is a list': (told(factors=['loss.name']), 'factors'),
  'a factor that is a number': (told(factors={3: (1, 2)}), '3'),
  'a factor without a name': (told(factors={'': (1, 2)}), "''"),
  'a factor that is a text': (told(factors={'loss.name': 'hinge'}), 'hinge'),
  'levels that are one number': (told(factors={'batch_size': 8}), 'batch_size'),
  'levels that are lists': (told(factors={'batch_size': ([8], [9])}), 'batch'),
  'levels that are nan': (
    told(factors={'optim.g.learning_rate': (NAN, 1.0)}),
    'learning_rate',
  ),
  'levels that are inf': (
    told(factors={'optim.g.learning_rate': {'a': INF}}),
    'learning_rate',
  ),
  'two equal levels': (told(factors={'batch_size': (8, 8)}), 'batch_size=8'),
  'a level of None': (told(factors={'batch_size': (8, None)}), 'batch_size'),
  'a level out of range': (
    told(factors={'batch_size': (8, 0)}),
    'batch_size=0',
  ),
  'overrides is a list': (told(overrides=['steps']), 'overrides'),
  'an override that is a number': (told(overrides={3: 4}), '3'),
  'an override of another type': (told(overrides={'steps': 'x'}), 'steps'),
  'an override that is nan': (told(overrides={'data.std': NAN}), 'data.std'),
  'design is a number': (told(design=3), 'design'),
  'design is None': (told(design=None), 'design'),
  'design is empty': (told(design=(), factors={}), 'design'),
  'design of numbers': (told(design=(1, 2), factors={}), 'design'),
  'design of equals': (told(design=({}, {}), factors={}), 'two cells'),
  'design of named numbers': (told(design={'a': 3}, factors={}), 'a'),
  'seeds that are true': (told(num_seeds=True), 'num_seeds=True'),
  'seeds that are a text': (told(num_seeds='8'), "num_seeds='8'"),
  'seeds that are nan': (told(num_seeds=NAN), 'num_seeds=nan'),
  'seeds without end': (told(num_seeds=10**12), 'num_seeds=1000000000000'),
  'fewer than no seeds': (told(num_seeds=-3), 'num_seeds=-3'),
  'metric is a number': (told(metric=3), 'metric=3'),
  'metric is a list': (told(metric=['modes']), 'metric'),
  'also is a text': (told(also='modes'), 'also'),
  'also holds a number': (told(also=(3,)), '3'),
  'baseline is a number': (told(baseline=3), 'baseline=3'),
  'baseline with a number': (told(baseline={3: 4}), '3'),
  'a long name': (told(factors={'loss.name': ('x' * 5000,)}), '... x'),
}


@pytest.mark.parametrize('name', [n for n in STUDIES if n != 'good'])
def test_refused_study(name, here, capfd, monkeypatch):
  text, word = STUDIES[name]
  monkeypatch.syspath_prepend(here)
  (here / 'loop_a.py').write_text('import loop_b\n')
  (here / 'loop_b.py').write_text('import loop_a\nloop_a.x')
  (here / 'mine').mkdir()
  (here / 'mine' / 'study.py').write_text(text)
  argv = [f'--study={here}/mine/study.py', f'--workdir={here}/w']
  refused(capfd, ablate.main, argv, 'study', word, root=here)
