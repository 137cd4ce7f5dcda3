"""The house's rules: imports run one way, configs stay with the commands."""

import ast
import importlib
import inspect
import pathlib
import pkgutil
import re

import pytest

import gan_jax
from gan_jax.data import kinds
from tests import slow_tests
from tests.components.shipped import is_new

ROOT = pathlib.Path(gan_jax.__file__).parent
FILES = sorted(p for p in ROOT.rglob('*.py') if p.name != '__init__.py')
# A module may import those of earlier lines and of its own.
# A room's files may import what lies on lower floors, and their own room.
FLOORS = """
types
components
select
game
losses penalties conditioning augment dynamics
models
kinds
storage devices
data
datasets
metrics
report
run
study
recipes api
train evaluate sample ablate checkpoint manifest plan spectrum
""".strip().splitlines()
RANK = {name: rank for rank, line in enumerate(FLOORS) for name in line.split()}
# Where a config may be read.
READERS = {*' '.join(FLOORS[-2:]).split(), 'run', 'study', 'report'}
HEAVY = {
  'scipy',
  'sklearn',
  'matplotlib',
  'tensorflow_datasets',
  'orbax',
  'tensorstore',
}


def top(path):
  return path.relative_to(ROOT).parts[0].removesuffix('.py')


def imports(tree):
  """Dotted names that a module imports."""
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom):
      yield from (f'{node.module}.{alias.name}' for alias in node.names)
    elif isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)


def ours(name):
  """The room that an import names, or None."""
  parts = name.split('.')
  return parts[1] if parts[0] == 'gan_jax' and len(parts) > 1 else None


def arrows():
  """(file, what it imports) wherever a room imports another one."""
  for path in FILES:
    for name in imports(ast.parse(path.read_text())):
      if ours(name) not in (None, top(path)):
        yield path, name


def test_imports_run_one_way():
  up = [
    f'{path.relative_to(ROOT)} imports {name}'
    for path, name in arrows()
    if RANK[ours(name)] >= RANK[top(path)]
  ]
  assert not up


def test_every_place_on_the_floors_is_taken():
  assert {top(p) for p in FILES} == set(RANK)


def test_the_house_is_seen_at_a_glance():
  names = {p.name for p in ROOT.iterdir()} - {'__pycache__', 'py.typed'}
  assert len(names) <= 30


@pytest.mark.parametrize('path', FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_config_is_read_only_in_the_commands(path):
  names = {
    getattr(node, 'id', None) or getattr(node, 'arg', None)
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, (ast.Name, ast.arg))
  }
  if top(path) not in READERS:
    assert 'config' not in names
    assert 'ml_collections' not in path.read_text()


@pytest.mark.parametrize('path', FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_slow_packages_are_imported_where_they_are_used(path):
  at_the_top = [
    node
    for node in ast.parse(path.read_text()).body
    if isinstance(node, (ast.Import, ast.ImportFrom))
  ]
  names = {n for node in at_the_top for n in imports(node)}
  assert not {n.split('.')[0] for n in names} & HEAVY


def test_packages_are_empty_and_configs_know_no_package():
  for path in ROOT.rglob('__init__.py'):
    # What people type is at the door: gan_jax, and gan_jax.data.
    if path.parent not in (ROOT, ROOT / 'data'):
      assert path.read_text() == ''
  for path in (ROOT.parent / 'configs').glob('*.py'):
    assert 'gan_jax' not in set(imports(ast.parse(path.read_text())))
    assert 'import gan_jax' not in path.read_text()


def public_functions():
  for info in pkgutil.walk_packages(gan_jax.__path__, 'gan_jax.'):
    if is_new('/'.join(info.name.split('.')[1:])):
      continue
    module = importlib.import_module(info.name)
    for name, value in vars(module).items():
      own = getattr(value, '__module__', None) == info.name
      if own and not name.startswith('_') and callable(value):
        yield f'{info.name}.{name}', value


def test_every_public_function_is_documented_without_positional_booleans():
  found = list(public_functions())
  assert len(found) > 100
  for name, value in found:
    assert inspect.getdoc(value), f'{name} has no docstring'
    if inspect.isfunction(value):
      for p in inspect.signature(value).parameters.values():
        positional = p.kind is p.POSITIONAL_OR_KEYWORD
        assert not (positional and isinstance(p.default, bool)), name


@pytest.mark.parametrize(
  'kind',
  ['losses', 'penalties', 'models', 'kinds', 'datasets', 'study.engines'],
)
def test_components_export_what_their_kind_asks_for(kind):
  wanted = {
    'losses': [{'d_loss', 'g_loss'}],
    'penalties': [
      {'project'},
      *({'init', name} for name in ('penalty', 'd_term', 'g_term', 'e_term')),
      *({'init', name} for name in ('d_change', 'g_change')),
    ],
    'models': [{'Generator', 'Discriminator'}],
    'kinds': [set(kinds.MEMBERS)],
    'datasets': [{'load'}],
    'study.engines': [{'make'}],
  }[kind]
  package = importlib.import_module(f'gan_jax.{kind}')
  for info in pkgutil.iter_modules(package.__path__):
    if info.ispkg or is_new(f'{kind}/{info.name}'):
      continue
    module = importlib.import_module(f'gan_jax.{kind}.{info.name}')
    assert any(names <= set(vars(module)) for names in wanted), info.name


@pytest.mark.slow
def test_every_pattern_of_a_slow_test_names_one(request):
  ids = [item.nodeid for item in request.session.items]
  if len({node_id.split('::')[0] for node_id in ids}) < 10:
    pytest.skip('not all slow tests were collected')
  for pattern in slow_tests.SLOW:
    assert any(re.search(pattern, node_id) for node_id in ids), pattern


# Where a player may be named in so many letters: the shared names themselves,
# the adapters of losses, what people read, and models' own options.
NAMING = {'types', 'report', 'models', 'study'}


def texts(tree):
  """The strings of a module, without how numbers are formatted."""
  formats = {
    id(inner)
    for node in ast.walk(tree)
    if isinstance(node, ast.FormattedValue) and node.format_spec
    for inner in ast.walk(node.format_spec)
  }
  for node in ast.walk(tree):
    if isinstance(node, ast.Constant) and id(node) not in formats:
      yield node.value


def test_players_are_named_in_one_place():
  for path in FILES:
    new = is_new(path.relative_to(ROOT).with_suffix('').as_posix())
    if top(path) not in NAMING and not new:
      letters = set(texts(ast.parse(path.read_text())))
      assert not letters & {'g', 'd', 'gd', 'dg'}, path
