"""What could run a stranger's code: every place is known, with its reason."""

import ast
import pathlib

import pytest

import gan_jax

ROOT = pathlib.Path(gan_jax.__file__).parent
# Functions that run, unpickle or unpack what they are given: builtins, and
# methods by their last names, whatever they are called on.
BUILTINS = {'eval', 'exec', 'compile', '__import__'}
METHODS = {
  'import_module', 'exec_module', 'load_module', 'run_path', 'run_module',
  'load', 'loads', 'Unpickler', 'read_pickle', 'fromfile', 'memmap', 'extract',
  'extractall', 'unpack_archive', 'system', 'popen', 'literal_eval',
  'open_memmap', 'read_array',
}  # fmt: skip
# Modules of which any use at all is told.
MODULES = {
  'pickle', 'cloudpickle', 'dill', 'marshal', 'shelve', 'joblib', 'yaml',
  'torch', 'tarfile', 'ctypes', 'subprocess', 'jsonpickle', 'code', 'runpy',
}  # fmt: skip
# (file, what): why it is right there.
KNOWN = {
  ('__init__.py', 'importlib.import_module'): 'a name of its own list',
  ('storage/npz.py', 'npy.read_array'): 'allow_pickle=False, sizes are checked',
  (
    'run/config/library.py',
    'spec.loader.exec_module',
  ): 'a config file that is given',
  ('run/config/recipe.py', 'ast.literal_eval'): 'makes constants only',
  ('study/study_file.py', 'spec.loader.exec_module'): 'a study that is given',
  (
    'components/modules.py',
    'importlib.import_module',
  ): 'a component by its name',
  ('data/loading.py', 'importlib.import_module'): 'a data set by its name',
  ('metrics/features/torch_checkpoint.py', 'pickle'): 'for its one class',
  ('metrics/features/torch_checkpoint.py', 'pickle.Unpickler'): 'a base class',
  (
    'metrics/features/torch_checkpoint.py',
    'load',
  ): 'of a class that knows tensors only',
  (
    'metrics/features/torch_checkpoint.py',
    '?.load',
  ): 'of a class that knows tensors only',
  ('data/loading.py', 'module.load'): 'load() of a data set by its name',
  ('metrics/features/spaces.py', 'module.load'): 'of a feature net by its name',
  ('study/engines/processes.py', 'subprocess'): 'workers: no shell',
  ('run/workdir/provenance.py', 'subprocess'): 'git, no shell',
}
HARMLESS = {'json.loads', 'json.load'}


def dotted(node) -> str:
  """'np.load' of np.load, '?.load' of what has no name."""
  if isinstance(node, ast.Name):
    return node.id
  if isinstance(node, ast.Attribute):
    return f'{dotted(node.value)}.{node.attr}'
  return '?'


def suspicious(tree):
  """Names of what a module calls, inherits or imports that may be dangerous."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Call):
      name = dotted(node.func)
      if name in BUILTINS or name.rpartition('.')[2] in METHODS:
        yield name
    elif isinstance(node, ast.ClassDef):
      yield from (b for b in map(dotted, node.bases) if b.endswith('Unpickler'))
    elif isinstance(node, ast.Import):
      yield from (a.name for a in node.names if a.name.split('.')[0] in MODULES)
    elif isinstance(node, ast.ImportFrom):
      if (node.module or '').split('.')[0] in MODULES:
        yield node.module


def found():
  """Pairs (file, what) of the whole package."""
  for path in sorted(ROOT.rglob('*.py')):
    tree = ast.parse(path.read_text())
    for name in suspicious(tree):
      yield path.relative_to(ROOT).as_posix(), name, tree


def is_own(tree, name):
  """Whether a name is of this package's own making, or of JSON."""
  own = {'gan_jax'}
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and (node.module or '').startswith(
      'gan_jax'
    ):
      own |= {a.asname or a.name for a in node.names}
    if isinstance(node, ast.FunctionDef) and not node.name.startswith('__'):
      own.add(node.name)
  return name in HARMLESS or name.split('.')[0] in own


def test_every_dangerous_call_is_on_the_list():
  there = {
    (file, name) for file, name, tree in found() if not is_own(tree, name)
  }
  assert there - set(KNOWN) == set()
  assert set(KNOWN) - there == set(), 'no longer there'
  assert all(KNOWN.values())


@pytest.mark.parametrize(
  'line, name',
  [
    ('np.load(path)', 'np.load'),
    ('numpy.load(path, allow_pickle=True)', 'numpy.load'),
    ('pickle.loads(raw)', 'pickle.loads'),
    ('import pickle', 'pickle'),
    ('from cloudpickle import load', 'cloudpickle'),
    ('torch.load(path)', 'torch.load'),
    ('yaml.load(text)', 'yaml.load'),
    ('eval(text)', 'eval'),
    ('exec(text)', 'exec'),
    ('__import__(name)', '__import__'),
    ('os.system(text)', 'os.system'),
    ('import subprocess', 'subprocess'),
    ('archive.extractall(folder)', 'archive.extractall'),
    ('open(path).load()', '?.load'),
  ],
)
def test_the_walk_sees_what_it_should(line, name):
  assert name in list(suspicious(ast.parse(line)))


def test_no_pickles_no_shells_and_pictures_of_few_kinds():
  for path in ROOT.rglob('*.py'):
    for node in ast.walk(ast.parse(path.read_text())):
      if not isinstance(node, ast.Call):
        continue
      given = {k.arg: k.value for k in node.keywords}
      name = dotted(node.func)
      assert 'shell' not in given, path
      if 'allow_pickle' in given:
        assert given['allow_pickle'].value is False, path
      if name.endswith(('Image.open', 'image_lib.open')):
        assert 'formats' in given, f'{path}: {name} may start Ghostscript'
