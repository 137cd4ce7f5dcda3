"""python -m gan_jax.plan: what a run needs, known without its data."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import plan, recipes
from gan_jax.devices import chips, topologies
from gan_jax.models.layers import convolutions
from gan_jax.report import plans
from gan_jax.run import command, one_step
from gan_jax.run.planning import costs, described, loops
from gan_jax.run.planning import plan as plan_lib
from gan_jax.types import UserError
from tests.run.test_commands import complaint

ROOT = pathlib.Path(__file__).resolve().parents[2]
STUDY = """
def get_study():
  return {
    'base': 'ring8:tiny',
    'design': ({'loss.name': 'hinge'}, {'optim.g.learning_rate': 0.1}),
    'num_seeds': 2,
  }
"""


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch, tmp_path):
  """No data are anywhere."""
  monkeypatch.chdir(ROOT)
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'nowhere'))


def of(name, **kwargs):
  return plan_lib.of_run(recipes.load(name).to_dict(), **kwargs)


def uncompiled(setup):
  """What a compiled step is to a plan; others compile one."""
  _, args = one_step.of_one_seed(setup)
  return costs.Step(1e6, 1e3, 100, args)


@pytest.mark.parametrize('name', recipes.names())
def test_every_recipe_without_its_data(name):
  made = of(f'{name}:tiny', steps=0, compile_step=uncompiled)
  setup = described.setup(recipes.load(f'{name}:tiny').to_dict())
  state = setup.init()
  for player, own in state.players.items():
    count = sum(x[0].size for x in jax.tree.leaves(own.params))
    assert made['parameters'][player] == count
    assert sum(made['stages'][player].values()) == count
  sizes = made['bytes']
  held = sum(x.nbytes for x in jax.tree.leaves(state))
  parts = ('parameters', 'variables', 'optimizer', 'average', 'memo')
  seeds = len(setup.keys)
  number = 4 * seeds  # of the step
  assert sum(sizes[part] for part in parts) + number == held
  assert sum(sizes.values()) == 2 * sizes['total']
  assert sizes['activations'] == 100 * seeds
  assert made['flops_per_step'] == 1e6 * seeds
  assert set(made['roofline']) == {chip.name for chip in chips.CHIPS}
  assert made['measured']['skipped'] == 'not asked for'


def test_no_example_is_read():
  for name in ('mnist', 'mnist_rows', 'stacked_mnist', 'sounds'):
    config = recipes.load('digits').to_dict()
    data = {'name': name, 'length': 64} if name == 'sounds' else {'name': name}
    dataset = described.dataset_of({**config['data'], **data})
    with pytest.raises(UserError, match='of a description'):
      dataset.read([0])


def test_what_the_command_prints(capsys):
  command.run(plan.main, ['', '--config=mnist:tiny', '--json'])
  made = json.loads(capsys.readouterr().out)
  assert {'parameters', 'flops_per_step', 'bytes', 'measured'} <= set(made)
  assert made['flops_per_step'] > 1e5 and made['bytes']['activations'] > 0
  seconds, own = made['measured']['seconds'], made['measured']
  assert seconds['steps'] == 8 * own['seconds_per_step'] > 0
  assert sum(seconds.values()) == own['seconds_per_run']
  assert own['peak_bytes'] > made['bytes']['total']
  command.run(plan.main, ['', '--config=mnist:tiny', '--measure=0'])
  lines = capsys.readouterr().out.splitlines()
  assert lines[0] == 'mnist: 28 x 28 x 1; batch 8, 1 seed, 8 steps, float32'
  assert any(line.startswith('here (cpu): not measured') for line in lines)
  assert any(line.startswith('v5e: ') for line in lines)


def test_seeds_are_as_many_times_as_much():
  config = recipes.load('ring8:tiny').to_dict()
  one, three = (
    plan_lib.of_run({**config, 'num_seeds': seeds}, steps=0) for seeds in (1, 3)
  )
  assert three['parameters'] == one['parameters']
  assert three['flops_per_step'] == 3 * one['flops_per_step']
  for part in ('parameters', 'optimizer', 'activations'):
    assert three['bytes'][part] == 3 * one['bytes'][part]
  assert three['bytes']['data'] == one['bytes']['data']


@pytest.mark.parametrize('name', ['ring8', 'mnist', 'digits'])
def test_what_the_probe_keeps_is_in_memory_too(name):
  config = recipes.load(f'{name}:tiny').to_dict()
  there, blind = (
    plan_lib.of_run(changed, steps=0, compile_step=uncompiled)['bytes']['data']
    for changed in (config, {**config, 'health_every': 0})
  )
  kept = described.rehearsed(config).held_out().get('x', np.zeros(0))
  assert there - blind == kept.nbytes
  assert (kept.size == 0) == (name == 'digits')  # which has no other examples


def product(x):
  return x @ x


def test_loops_are_counted_in_full():
  """Ten times three products, of which XLA counts one; in a branch or not."""

  def inner(x):
    return jax.lax.scan(lambda c, _: (product(c), None), x, None, length=3)[0]

  def outer(x):
    return jax.lax.scan(lambda c, _: (inner(c), None), x, None, length=10)[0]

  x = jax.ShapeDtypeStruct((16, 16), 'float32')
  (flops, accessed), one = loops.lacking(jax.jit(outer), x), 2 * 16**3
  assert flops == pytest.approx(29 * one, rel=0.02)
  assert accessed > 29 * 2 * x.size * 4
  either = lambda x: jax.lax.cond(x[0, 0] > 0, inner, outer, x)
  assert loops.lacking(either, x)[0] == flops
  assert loops.lacking(product, x).tolist() == [0, 0]


def test_loops_of_other_platforms_are_not_counted():
  """A CPU goes through the groups of a convolution, accelerators do not."""
  x, kernel = (jnp.zeros(shape) for shape in ((2, 4, 8, 48), (3, 3, 16, 6)))
  each = lambda x: jnp.tanh(convolutions.conv(x, kernel, groups=3)).sum()
  slopes = lambda x: jnp.square(jax.grad(each)(x)).sum()
  one = loops.lacking(each, x)[0]
  assert one > 2 * 2 * (2 * 4 * 8) * (3 * 3 * 16) * 2  # two of the groups
  assert loops.lacking(jax.grad(slopes), x)[0] > 3 * one
  assert not loops.lacking(jax.grad(slopes), x, platform='tpu').any()


def test_a_loop_around_loops_of_other_platforms():
  """Whose groups an accelerator has at once, in each of five turns."""
  x, kernel = (jnp.zeros(shape) for shape in ((2, 4, 8, 48), (3, 3, 16, 48)))
  each = lambda x: convolutions.conv(x, kernel, groups=3)
  turn = lambda x, _: (each(x), None)
  five = lambda x: jax.lax.scan(turn, x, None, length=5)[0]
  on_cpu, on_tpu = (
    loops.lacking(five, x, platform=p)[0] for p in (None, 'tpu')
  )
  # A CPU is counted with one group of three of the first turn, too.
  assert on_cpu - on_tpu == pytest.approx(loops.lacking(each, x)[0])
  products = 2 * (2 * 4 * 8) * (3 * 3 * 16) * 16  # of a group, at least
  assert on_tpu > 4 * 3 * products


def test_a_series_costs_all_of_its_moments():
  config = recipes.load('sines_rcgan:tiny').to_dict()
  short, long = (
    plan_lib.of_run(
      {**config, 'data': config['data'] | {'length': length}}, steps=0
    )
    for length in (10, 40)
  )
  assert long['flops_per_step'] > 3 * short['flops_per_step']


def test_the_shape_of_a_file_that_is_not_there():
  config = recipes.load('gat:tiny').to_dict()
  config['data'] = {'name': 'npz', 'path': ''}
  given = {'shape': (8, 12, 4), 'num_classes': 5}
  made = plan_lib.of_run(config, steps=0, compile_step=uncompiled, **given)
  assert made['run']['shape'] == [8, 12, 4]
  assert made['run']['num_classes'] == 5


def test_what_takes_too_long_is_not_measured():
  setup = described.setup(recipes.load('ring8:tiny').to_dict())
  step = costs.compile_step(setup)
  assert not costs.too_much(setup, step)
  for field, value, words in (
    ('flops', 1e30, 's or longer'),
    ('temporary', 2**60, 'GiB'),
  ):
    assert words in costs.too_much(setup, step._replace(**{field: value}))


def test_a_study_is_the_sum_of_its_cells(tmp_path, capsys):
  study = tmp_path / 'study.py'
  study.write_text(STUDY)
  argv = ['', f'--study={study}', '--json', '--measure=0']
  command.run(plan.main, argv)
  made = json.loads(capsys.readouterr().out)
  cells = list(made['cells'].values())
  assert len(cells) == 2
  for player, count in made['parameters'].items():
    assert count == sum(cell['parameters'][player] for cell in cells)
  flops = sum(cell['flops_per_step'] for cell in cells)
  assert made['flops_per_step'] == flops
  assert made['bytes']['total'] == sum(c['bytes']['total'] for c in cells)
  lines = plans.of_study(made)
  assert lines[2].startswith('all 2 cells: ')


@pytest.mark.parametrize(
  'argv, words',
  [
    (['--config=nothing'], '--config=nothing: no such file or recipe'),
    ([], '--config is missing'),
    (['--study=/nowhere/study.py'], '--study=/nowhere/study.py'),
    (['--config=ring8:tiny', '--measure=-1'], '--measure=-1'),
    (
      ['--config=digits:tiny', "--config.data={'name': 'npz', 'path': ''}"],
      'Without the file: --shape=H,W,C',
    ),
    (['--config=ring8:tiny', '--shape=8x8'], '--shape=8x8: expected whole'),
    (['--config=ring8:tiny', '--shape=8,0,1'], 'expected H,W,C'),
    (['--config=ring8:tiny', '--topology=v9:2x2'], 'v4, v5e, v5p, v6e'),
    (['--config=ring8:tiny', '--topology=v5e:2x2x1'], 'expected 2 numbers'),
    (['--config=ring8:tiny', '--topology=v4:2x2'], 'expected 3 numbers'),
    (['--config=ring8:tiny', '--topology=v5e:0x2'], 'expected a shape'),
    (['--config=ring8:tiny', '--topology=v5e:99x99'], 'at most 1,024 chips'),
    (
      ['--config=digits:tiny', '--config.data.name=folder'],
      '--config.data.image_size=N',
    ),
    (
      [
        '--config=digits:tiny',
        '--config.data.name=folder',
        '--config.data.image_size=8',
        '--config.conditional=True',
      ],
      '--num_classes is missing',
    ),
  ],
)
def test_a_mistake(argv, words, capfd):
  assert words in complaint(capfd, plan.main, *argv)


def test_without_libtpu(monkeypatch, capfd):
  monkeypatch.setattr(topologies, 'available', lambda: False)
  argv = '--config=ring8:tiny', '--topology=v5e:1x1'
  assert "pip install 'gan_jax[tpu]'" in complaint(capfd, plan.main, *argv)


def test_classes_of_a_folder():
  config = recipes.load('digits:tiny', conditional=True).to_dict()
  config['data'] = {'name': 'folder', 'image_size': 8}
  setup = described.setup(config, num_classes=7)
  assert setup.num_classes == 7 and not setup.structure.resident


def test_help(capfd):
  with pytest.raises(SystemExit) as leaving:
    command.run(plan.main, ['', '--help'])
  out, err = capfd.readouterr()
  assert leaving.value.code == 0 and not err
  assert '--config=NAME' in out and len(out.splitlines()) <= 3


def test_a_roofline():
  chip = chips.Chip('A', 100.0, 10.0, 5.0, 1000, '')
  assert chip.seconds(200, 5, 'bfloat16') == 2
  assert chip.seconds(200, 5, 'float32') == 20
  assert chip.seconds(200, 50, 'bfloat16') == 10


def test_amounts_and_times():
  amounts = [plans.amount(x) for x in (12, 1536, 3.08e10)]
  assert amounts == ['12 ', '1.536 k', '30.8 G']
  times = [plans.seconds(x) for x in (2e-5, 0.0123, 4.5, 185, 86400 * 4.2)]
  assert times == ['20 µs', '12.3 ms', '4.5 s', '3:05', '4.2 days']
