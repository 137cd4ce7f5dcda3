"""The manual tells the truth: links, listings, commands, names of tests."""

import importlib
import importlib.util
import pathlib
import re
import shlex
import sys

import jax
import jax.numpy as jnp
import pytest

from gan_jax import select
from gan_jax.game import beginning, rules
from gan_jax.run import command
from gan_jax.run.config import recipe
from gan_jax.study import study_file
from tests.components.shipped import is_new
from tests.test_layout import FLOORS

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'gan_jax'
DOCS = ROOT / 'docs'
ROOMS = ('configs', 'docs', 'experiments', 'gan_jax', 'notebooks', 'tests')
PAGES = sorted(
  [*ROOT.glob('*.md'), *(p for r in ROOMS for p in (ROOT / r).rglob('*.md'))]
)
RECIPES = sorted((ROOT / 'configs').glob('*.py'))
FENCE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\]\(([^)\s]+)\)')


def name(path):
  return str(path.relative_to(ROOT))


def prose(path):
  """A page without its code blocks."""
  return FENCE.sub('', path.read_text())


def anchors(path):
  """What GitHub makes of the headings of a page."""
  heads = re.findall(r'^#+ +(.*)$', prose(path), re.MULTILINE)
  bare = [re.sub(r'[^\w\- ]', '', head.lower()) for head in heads]
  return {head.replace(' ', '-') for head in bare}


# Links.


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_every_link_leads_somewhere(page):
  for link in LINK.findall(prose(page)):
    path, _, anchor = link.partition('#')
    if re.match(r'[a-z]+:', link):  # https:, mailto:
      continue
    target = (page.parent / path).resolve() if path else page
    assert target.exists() and ROOT in target.parents, link
    assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize('page', [*PAGES, *RECIPES], ids=name)
def test_every_path_that_is_named_exists(page):
  """`gan_jax/...` and so on, but for placeholders like configs/NAME.py."""
  rooms = 'gan_jax|configs|experiments|notebooks|tests|docs'
  words = re.findall(r'`([^`\n]+)`', prose(page))
  paths = [w for w in words if re.fullmatch(rf'({rooms})/[\w./-]+', w)]
  for path in paths:
    assert (ROOT / path).exists() or re.search('[A-Z]{3}', path), path


def test_the_index_has_every_page_and_its_question():
  rows = re.findall(
    r'^\| \[(\w+\.md)\]\((\w+\.md)\) \| (.*\?) \|$',
    (DOCS / 'README.md').read_text(),
    re.MULTILINE,
  )
  assert all(text == link for text, link, _ in rows)
  pages = {path.name for path in DOCS.glob('*.md')} - {'README.md'}
  assert {link: question for link, _, question in rows} == {
    page: (DOCS / page).read_text().splitlines()[0].removeprefix('# ')
    for page in pages
  }


def test_the_readme_is_read_in_two_minutes():
  lines = (ROOT / 'README.md').read_text().splitlines()
  assert len([x for x in lines if not x.startswith('<!--')]) <= 140


# What there is to choose from.


def test_the_manual_names_the_keys_of_a_study_and_the_engines():
  text = (DOCS / 'studies.md').read_text()
  rows = re.findall(r'^\| ((?:`\w+`(?:, )?)+) \|', text, re.MULTILINE)
  words = {word for row in rows for word in re.findall(r'\w+', row)}
  assert words == {*study_file.KEYS, *select.available('study.engines')}


# The house.


def listed():
  """The modules that docs/architecture.md lists: 'game/health/probe', ..."""
  text = (DOCS / 'architecture.md').read_text().partition('## Files')[2]
  for section in re.split(r'^### ', text, flags=re.MULTILINE)[1:]:
    title, _, rest = section.partition('\n')
    room = title if title.endswith('/') else ''
    inner = ''
    for line in re.search(r'^```\n(.*?)^```', rest, re.M | re.S)[
      1
    ].splitlines():
      word, *told = line.split()
      if word.endswith('/'):
        inner = word
        continue
      inner = inner if line.startswith('  ') else ''
      assert told, f'{room}{inner}{word}: what is it?'
      yield f'{room}{inner}{word}'


def test_the_listing_is_the_house():
  """A new module needs a line in docs/architecture.md; a removed one, none."""
  found = list(listed())
  assert len(found) == len(set(found))
  there = {
    p.relative_to(PACKAGE).with_suffix('').as_posix()
    for p in PACKAGE.rglob('*.py')
    if p.name != '__init__.py'
  }
  new = {path for path in there if is_new(path)}
  assert not there - set(found) - new, 'not listed'
  assert not set(found) - there, 'listed, but not there'


def test_the_floors_are_those_of_the_imports():
  text = (DOCS / 'architecture.md').read_text().partition('\n| floor |')[2]
  rows = re.findall(r'^\| (`.*?`) \|', text, re.MULTILINE)
  floors = [row.replace('`', '').split() for row in rows]
  assert floors[::-1] == [line.split() for line in FLOORS]


def test_exactness_names_tests_that_exist():
  text = (DOCS / 'exactness.md').read_text()
  words = re.findall(r'`([\w/]+\.py)::(\w+)`', text)
  assert len(words) >= 17 and '::' not in re.sub(r'`[^`]*`', '', text)
  for file, test in words:
    source = (ROOT / 'tests' / file).read_text()
    assert f'def {test}(' in source, f'{file}::{test}'


# Commands.


COMMAND = r'(?:[A-Z]+=\S+ )?(?:python -m|pytest) [^`\n]+'


def command_lines():
  """Every `python -m ...` and `pytest ...`, in a block or within a line."""
  for page in [*PAGES, *RECIPES]:
    # A line that goes on ends with a backslash, in a docstring with two.
    text = re.sub(r'\\{1,2}\n', ' ', page.read_text())
    lines = re.findall(f'`({COMMAND})`', text)
    lines += re.findall(f'^ *(?:pip .*&& )?({COMMAND})$', text, re.MULTILINE)
    for line in lines:
      yield pytest.param(words_of(line), id=f'{name(page)}: {line[:60]}')


def words_of(line):
  line = re.split(r' &$| && | \| ', line)[0]
  words = shlex.split(line, comments=True)
  return words[1:] if '=' in words[0] else words


class Parsed(Exception):
  """The command has understood its flags."""


def parse_only(argv, *, help_lines, **defaults):
  """Stands for command.parse: placeholders pass, what does not exist fails."""
  del help_lines
  path, overrides, rest = recipe.take(argv)
  for word in rest[1:]:
    flag = word.partition('=')[0]
    group, of, _ = flag.removeprefix('--').partition('.')
    assert flag.startswith('--') and group in defaults, word
    assert not of or isinstance(defaults[group], dict), word
  assert 'config' in defaults or (path is None and not overrides)
  if path is None or 'NAME' in path:
    path = 'configs/ring8.py'
  config = recipe.load(path)
  for key, text in overrides:
    if not key.isupper():
      recipe.override(config, key, text)
  raise Parsed


VERBS = {'gan_jax.checkpoint': ('verify', 1), 'gan_jax.manifest': ('diff', 2)}


@pytest.mark.parametrize('words', list(command_lines()))
def test_every_command_is_one_that_there_is(words, monkeypatch):
  monkeypatch.chdir(ROOT)
  if words[0] == 'pytest':
    paths = [w for w in words[1:] if w.startswith('tests')]
    assert all((ROOT / path.partition('::')[0]).exists() for path in paths)
    return
  module, *rest = words[2:]
  if not module.startswith('gan_jax.'):
    assert importlib.util.find_spec(module), module
    return
  door = importlib.import_module(module)
  if module in VERBS:
    verb, count = VERBS[module]
    assert rest[0] == verb and len(rest) == 1 + count
    return
  monkeypatch.setattr(command, 'parse', parse_only)
  with pytest.raises(Parsed):
    door.main(['', *rest])


# Examples.


@pytest.fixture
def shown(tmp_path, monkeypatch):
  """{file: dotted name} of the examples that docs/components.md shows."""
  text = (DOCS / 'components.md').read_text()
  code = re.findall(
    r'^```python\n# gan_jax/\w+/(\w+)\.py\n(.*?)^```', text, re.M | re.S
  )
  folder = tmp_path / 'docs_examples'
  folder.mkdir()
  for stem, source in code:
    (folder / f'{stem}.py').write_text(source)
  monkeypatch.chdir(ROOT)
  monkeypatch.syspath_prepend(tmp_path)
  yield {stem: f'docs_examples.{stem}' for stem, _ in code}
  for module in [m for m in sys.modules if m.startswith('docs_examples')]:
    del sys.modules[module]


def take_a_step(num_classes=0, **options):
  """Traces the first step of a game of points; returns the state after it."""
  config = command.load_config('configs/ring8.py:tiny', options)
  given = rules.Given((2,), num_classes, jnp.float32, batch_size=8)
  made = rules.make(rules.complete(config), given)
  batch = {'x': jnp.ones((1, 8, 2)), 'index': jnp.arange(8), 'step': 0}
  one = {'x': jnp.ones((1, 2))}
  if num_classes:
    batch['label'], one['label'] = jnp.zeros((1, 8), int), jnp.zeros(1, int)
  key = jax.random.key(0)

  def run():
    return made.step(beginning.init(made.game, key, one), batch, key)

  return jax.eval_shape(run)


def test_the_examples_of_components_make_a_game(shown):
  state, metrics = take_a_step(
    loss={'name': shown['exponential'], 'scale': 2.0},
    penalties={
      shown['logit_drift']: {'weight': 0.01, 'every': 2},
      shown['latent_consistency']: {'g_weight': 0.1},
    },
    augment={'name': shown['blurred'], 'sigma': 0.2},
    dynamics={'name': shown['g_first']},
    model={'name': shown['linear'], 'g': {}, 'd': {}},
  )
  assert sum('penalty' in name for name in metrics) == 3
  take_a_step(num_classes=8, conditioning={'name': shown['class_bias']})
  state, _ = take_a_step(
    model={'name': shown['linear_bigan'], 'g': {}, 'd': {}, 'e': {}},
    penalties={},
  )
  assert set(state.players) == {'g', 'd', 'e'}
  dataset = importlib.import_module(shown['circle']).load(size=500)
  assert dataset.size == 500 and dataset.shape == (2,)
