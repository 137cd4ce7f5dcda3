"""The tables of models and recipes: each row is there, and is what it says."""

import pathlib
import re

import jax
import pytest

from experiments import tables
from experiments.zoo import games, networks, recipes
from gan_jax import select
from gan_jax.run.planning import costs
from tests.components.shipped import is_new
from tests.run import test_families

MODELS = pathlib.Path(select.__file__).parent / 'models'
TEXT = networks.PAGE.read_text()
LINES = {line['recipe']: line for line in tables.read(networks.RESULTS)}
PLANS = {line['recipe']: line for line in tables.read(recipes.RESULTS)}
NAMES = [n for n in select.available('models') if not is_new(f'models/{n}')]
# Of those without variants: these in the default run, the others in the slow.
QUICK = 'ring8', 'digits', 'gru_gan'


def rows(text: str) -> dict[str, str]:
  """{model: its row in the table of papers}."""
  table = text.partition('## Which there are')[2].partition('\n## ')[0]
  return dict(re.findall(r'^\| `(\w+)` (\|.*)$', table, re.MULTILINE))


# ---------------------------------------------------------------- the models


def test_every_model_has_its_rows():
  assert sorted(LINES) == networks.names()
  assert {line['model'] for line in LINES.values()} == set(NAMES)
  assert set(rows(TEXT)) == set(NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_every_paper_of_a_model_is_linked(name):
  papers = r'(?:arxiv\.org/abs/|arXiv )(\d{4}\.\d{5})'
  head = (MODELS / f'{name}.py').read_text().split('"""')[1]
  row = rows(TEXT)[name]
  for paper in re.findall(papers, head):
    assert f'[{paper}](https://arxiv.org/abs/{paper})' in row, paper


def test_the_pages_show_what_the_lines_say():
  shown = tables.shown(networks.PAGE, 'networks')
  assert shown == networks.report(list(LINES.values()))
  lines = list(PLANS.values())
  assert tables.shown(recipes.PAGE, 'recipes') == recipes.recipes(lines)
  assert tables.shown(recipes.PAGE, 'slices') == recipes.on_slices(lines)


def test_published_variants_have_their_counts():
  """Those that test_families holds to the networks themselves."""
  for name, counts in test_families.COUNTS.items():
    for line in LINES[name], PLANS[name]:
      assert tuple(line['parameters'][p] for p in 'gd') == counts, name


def slow_but(names, quick):
  slow = lambda n: () if n in quick else pytest.mark.slow
  return [pytest.param(name, marks=slow(name)) for name in names]


ALONE = sorted(set(LINES) - set(test_families.COUNTS))


@pytest.mark.parametrize('name', slow_but(ALONE, QUICK))
def test_others_have_theirs(name):
  counts = costs.parameters(games.setup(name))
  assert LINES[name]['parameters'] == counts
  if name in PLANS:
    assert PLANS[name]['parameters'] == counts


COUNTED = 'ring8', 'dcgan:cifar10', 'sndcgan', 'aae', 'sines_rcgan'


@pytest.mark.parametrize('name', slow_but(COUNTED, QUICK))
def test_figures_are_those_of_the_command(name):
  again = networks.line(name)
  for key, values in LINES[name].items():
    if isinstance(values, dict):
      values = pytest.approx(values, rel=1e-3)
    assert again[key] == values, key


@pytest.mark.parametrize('name', networks.PUBLISHED)
def test_ours_are_a_little_below_the_authors(name):
  """Edges are not counted; what is not a product of matrices is."""
  for player, theirs in zip('gd', networks.PUBLISHED[name], strict=True):
    ours = LINES[name]['flops_as_written'][player] / 1e9
    assert 0.85 * theirs < ours < 1.05 * theirs, player
    assert LINES[name]['flops'][player] / 1e9 < 1.05 * ours, player


def test_the_example_makes_images_and_logits():
  (code,) = re.findall(r'^```python\n(.*?)^```', TEXT, re.M | re.S)

  def run():
    made = {}
    exec(code, made)
    return made['images'], made['logits'], made['g_new']

  images, logits, new = jax.eval_shape(run)
  assert images.shape == (2, 128, 128, 3) and images.dtype == 'float32'
  assert logits.shape == (2,) and logits.dtype == 'float32'
  assert set(new) == {'batch_stats', 'spectral'}


# ---------------------------------------------------------------- the recipes


def test_every_recipe_has_its_row():
  assert sorted(PLANS) == sorted(games.names())


def test_a_plan_is_that_of_the_command():
  again = recipes.planned('ring8')
  flops = again.pop('flops_per_step'), PLANS['ring8']['flops_per_step']
  assert flops[0] == pytest.approx(flops[1], rel=1e-3)
  times = again.pop('seconds_per_run'), PLANS['ring8']['seconds_per_run']
  assert times[0] == pytest.approx(times[1], rel=1e-3)
  assert again == {key: PLANS['ring8'][key] for key in again}


def test_what_the_table_of_slices_says():
  made = {
    'needed_per_chip': 2**30,
    'memory_per_chip': 2**32,
    'flops_per_chip': 2e9,
    'collectives': {'all-reduce': {'count': 3, 'bytes': 5000}},
    'collective_bytes': 5000,
  }
  refused = {
    'refused': '--topology=v5e:1x1: a chip has 16.0 GiB, the step needs 20.1'
    ' GiB; batch_size=32 fits on v5e:1x1; a chip has as many examples of'
    ' batch_size=64 on 2 chips.'
  }
  slices = dict(zip(recipes.SLICES, (refused, made), strict=True))
  text = recipes.on_slices([{'recipe': 'mine', 'slices': slices}])
  assert text.splitlines()[-1] == (
    '| `mine` | needs 20.1 GiB; fits: batch 32 | – | 1.074 GB, 25% | 2 G |'
    ' 3 all-reduce: 5 kB |'
  )
