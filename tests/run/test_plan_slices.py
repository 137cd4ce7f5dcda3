"""What a plan says of a slice of a TPU: what lies there, is sent, and fits."""

import pytest

from gan_jax import recipes
from gan_jax.devices import chips, topologies
from gan_jax.report import plans
from gan_jax.run.planning import collectives, described, on_slice
from gan_jax.types import UserError


@pytest.mark.parametrize(
  'name, shape, dtype',
  [
    ('grammar_chargan', (20_000, 32), 'uint8'),  # numbers of characters
    ('tones_wavegan', (5000, 1024, 1), 'int16'),
    ('digits', (1797, 8, 8, 1), 'float32'),
    ('mnist', (60_000, 28, 28, 1), 'uint8'),
  ],
)
def test_data_lie_on_a_slice_as_their_kind_keeps_them(name, shape, dtype):
  setup = described.setup(recipes.load(name).to_dict())
  x = on_slice.data_of(setup)['x']
  assert (x.shape, x.dtype) == (shape, dtype)


def test_slices_of_a_study_are_printed_by_cell():
  row = {
    'slice': 'v5e:2x2', 'chips': 4, 'devices': 4, 'wrapper': 'pmap',
    'seeds_per_chip': 1, 'batch_per_chip': 16, 'needed_per_chip': 2**20,
    'memory_per_chip': 2**22, 'flops_per_chip': 1e9, 'collective_bytes': 0,
    'collectives': {},
  }  # fmt: skip
  cell = {'parameters': {'g': 1, 'd': 2}, 'flops_per_step': 3.0}
  whole = cell | {'bytes_per_step': 4.0, 'bytes': {'total': 5}}
  cells = {'hinge': cell | {'topology': row}, 'lsgan': cell}
  lines = plans.of_study(whole | {'cells': cells})
  own = [line for line in lines if line.startswith('hinge: v5e:2x2: ')]
  assert len(own) == 3 and '25% of its memory' in own[1]


TEXT = """
  %a = f32[8,128]{1,0:T(8,128)} all-reduce(%x), replica_groups={}
  %b = (f32[4]{0}, bf16[2,2]{1,0}) all-reduce(%x, %y), channel_id=1
  %c = (f32[2]{0}, f32[8]{0}) all-gather-start(%z), dimensions={0}
  %d = f32[8]{0} all-gather-done(%c)
  ROOT %e = f32[3]{0} add(%all-reduce.1, %y)
"""


def test_collectives_of_a_program():
  assert collectives.count(TEXT) == {
    'all-reduce': {
      'count': 2, 'bytes': 4 * 8 * 128 + 4 * 4 + 2 * 4, 'started': 0,
      'large': 1,
    },
    'all-gather': {'count': 1, 'bytes': 4 * 8, 'started': 1, 'large': 1},
  }  # fmt: skip


def test_how_few_collectives_carry_most_of_the_bytes():
  line = '%a = f32[{}]{{0}} all-reduce(%x)'
  text = '\n'.join(line.format(n) for n in (10, 50, 36, 4))
  assert collectives.count(text)['all-reduce']['large'] == 3
  assert collectives.count(line.format(0))['all-reduce']['large'] == 1


def test_batches_that_cannot_fit_are_not_compiled():
  config = {'batch_size': 48, 'microbatches': 1}
  sizes = lambda most, split=1: [
    one['batch_size'] for one in on_slice._smaller(config, split, most)
  ]
  assert sizes(0.3) == [12, 6, 3]
  assert sizes(0.125, split=2) == [6]
  assert sizes(0.01) == []


def refusal(monkeypatch, fits, **keys):
  """Of a config on one chip of v5e, where `fits(Setup)` says what is held."""
  chip = next(chip for chip in chips.CHIPS if chip.name == 'v5e')
  where = topologies.Slice('v5e:1x1', chip, 1, (None,))
  needed = keys.pop('needed', 40 * 2**30)
  made = lambda setup, wrapper, where: (
    on_slice.Compiled(needed, fits=fits(setup)),
    (1, 1),
  )
  monkeypatch.setattr(on_slice, '_compile', made)
  monkeypatch.setattr(topologies, 'find', lambda name: where)
  config = recipes.load('ring8:tiny').to_dict() | keys
  with pytest.raises(UserError) as refused:
    on_slice.plan(described.setup, config, 'v5e:1x1')
  line = str(refused.value)
  begin = '--topology=v5e:1x1: a chip has 16.0 GiB, the step needs'
  assert line.startswith(begin) and '\n' not in line
  return line.split('; ', 1)[1]


def test_what_is_refused_says_what_fits(monkeypatch):
  fits = lambda setup: setup.batch_size <= 2
  assert refusal(monkeypatch, fits, batch_size=16) == (
    'batch_size=2 fits on v5e:1x1; a chip has as many examples of batch_size=16'
    ' on 8 chips.'
  )
  fits = lambda setup: len(setup.keys) <= 3
  line = refusal(monkeypatch, fits, num_seeds=12)
  assert line == 'num_seeds=3 fits on v5e:1x1.'
  never = lambda setup: False
  assert refusal(monkeypatch, never, num_seeds=2) == (
    'no smaller batch fits: a network with fewer channels, or chips of v5p.'
  )
  too_much = refusal(monkeypatch, never, needed=2**40)
  assert too_much.endswith('a network with fewer channels.')
