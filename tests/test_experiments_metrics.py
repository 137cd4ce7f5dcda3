"""The study of the metrics: its steps on tiny data, and what it shows."""

import math

import numpy as np
import pytest

from experiments import tables
from experiments.metrics import ordering, speed
from gan_jax.data import memory
from gan_jax.metrics.features import base
from tests import tiny_data

N = 300
FEW = 40  # on disk


def images(label):
  """Bars of 28 x 28 pixels whose place is the label, with some dirt."""
  rng = np.random.default_rng(len(label))
  x = rng.integers(0, 60, (len(label), 28, 28, 1), np.uint8)
  for i, k in enumerate(label):
    x[i, :, 2 * k + 3 : 2 * k + 5] += 190
  return x


def dataset(name, size):
  """Upright digits, or clothes that lie: (x, label)."""
  label = np.arange(size) % 10
  x = images(label)
  return (x if name == 'mnist' else x.transpose(0, 2, 1, 3)), label


@pytest.fixture(scope='module')
def compared():
  loaded = [
    memory.from_arrays(name, 'image', *dataset(name, 4 * N))
    for name in ('mnist', 'fashion_mnist')
  ]
  return ordering.samples(*loaded, n=N, seed=0)


def columns(x):
  """Where the bar of each picture is, [N]."""
  return x.mean(axis=(1, 3)).argmax(axis=1)


def seen(x):
  """A net that sees columns, and takes them for classes."""
  features = x.mean(axis=(1, 3))
  values = np.exp(features)
  return base.Seen(features, values / values.sum(axis=1, keepdims=True))


NET = base.Features('columns', 'none', seen)


def test_conditions_are_what_their_names_say(compared):
  real, held_out, found = compared
  assert set(found) == set(ordering.CONDITIONS)
  flat = [
    x.reshape(len(x), -1)
    for x in (real, held_out, found[ordering.SAME], found[ordering.OTHER])
  ]
  assert len(np.unique(np.concatenate(flat), axis=0)) == 4 * N  # disjoint
  np.testing.assert_array_equal(found[ordering.AGAIN], real)
  for name, x in found.items():
    assert x.dtype == np.float32 and np.abs(x).max() <= 1, name
    few = name in (ordering.FIVE, ordering.SINGLE)
    assert len(x) == N or few, name
  five, single = (columns(found[k]) for k in (ordering.FIVE, ordering.SINGLE))
  assert set((five - 3) // 2) == set(range(5))
  assert set((single - 3) // 2) == {ordering.ONE}


def test_noise_has_the_strength_that_its_name_says(compared):
  found = compared[2]
  same = found[ordering.SAME]
  inside = np.abs(same) < 0.5  # what noise does not carry over the edge
  for name, std in zip(ordering.NOISY[:3], ordering.NOISE, strict=False):
    difference = (found[name] - same)[inside]
    np.testing.assert_allclose(difference.std(), std, rtol=0.1)


def test_blurring_keeps_brightness_and_lessens_contrast():
  x = np.zeros((1, 28, 28, 1), np.float32)
  x[0, 14, 14] = 1
  blurred = ordering.blurred(x)
  np.testing.assert_allclose(blurred.sum(), 1, rtol=1e-5)
  assert 0.2 < blurred.max() < 0.4


def test_run_gives_every_score_of_every_condition(compared, capsys):
  lines = ordering.run(NET, *compared, patches=1)
  assert [line['condition'] for line in lines] == list(ordering.CONDITIONS)
  expected = set(ordering.EXPECTED) - {'laplacian_swd'}
  for line in lines:
    assert expected <= set(line)
    assert all(math.isfinite(line[score]) for score in expected)
  for score in ('fid', 'swd', 'class_coverage', 'recall', 'coverage'):
    assert ordering.in_order(lines, score, 'classes'), score
  by_name = {line['condition']: line for line in lines}
  again, other, single = (
    by_name[k] for k in (ordering.AGAIN, ordering.OTHER, ordering.SINGLE)
  )
  assert again['fid'] < 1e-9 and again['authenticity'] == 0
  assert again['c_t'] < -3 < other['c_t'] < 3  # it is told the held-out side
  assert single['precision'] > 2 * single['recall']  # and who is the fake


def test_ordering_command_writes_lines_and_tables(
  tmp_path, monkeypatch, capsys
):
  """Twice, so that the second finds what the first wrote."""
  for name in ('mnist', 'fashion_mnist'):
    tiny_data.write_tfds(tmp_path, name, {'train': dataset(name, 4 * FEW)})
  marked = '<!-- {0} -->\nold\n<!-- end of {0} -->\n'.format
  readme = f'above\n{marked("order")}between\n{marked("scores")}below\n'
  (tmp_path / 'README.md').write_text(readme)
  plain = base.Features('pixels', 'none', lambda x: base.Seen(seen(x).features))
  monkeypatch.setattr(ordering, 'PAGE', tmp_path / 'README.md')
  monkeypatch.setattr(ordering, 'RESULTS', tmp_path / 'results.jsonl')
  monkeypatch.setattr(ordering.spaces, 'load', lambda *_: plain)
  flags = [f'--data_dir={tmp_path}', f'--n={FEW}', '--only=pixels']
  monkeypatch.setattr('sys.argv', ['ordering', *flags])
  ordering.main()
  ordering.main()
  lines = tables.read(ordering.RESULTS)
  assert len(lines) == len(ordering.CONDITIONS)
  assert all('laplacian_swd' in line for line in lines)
  assert tables.shown(ordering.PAGE, 'order') == ordering.verdicts(lines)
  assert tables.shown(ordering.PAGE, 'scores') == ordering.report(lines)
  text = (tmp_path / 'README.md').read_text()
  assert text.startswith('above\n') and text.endswith('\nbelow\n')
  assert '\nbetween\n' in text and 'old' not in text


@pytest.mark.parametrize(
  ('steps', 'expected'), [((1, 2, 3, 4), True), ((1, 2, 2, 4), False)]
)
def test_in_order_asks_every_step(steps, expected):
  found = dict(zip(ordering.NOISY, steps, strict=True)) | {ordering.SAME: 0}
  lines = [
    {'condition': k, 'fid': v, 'precision': -v, 'recall': v}
    for k, v in found.items()
  ]
  assert ordering.in_order(lines, 'fid', 'noise') is expected
  assert ordering.in_order(lines, 'precision', 'noise') is expected
  assert ordering.in_order(lines, 'recall', 'noise') is None


@pytest.mark.parametrize(
  ('x', 'expected'),
  [
    (3e-13, '0'),
    (1234567.8, '1,234,568'),
    (123.45, '123'),
    (-12.345, '-12.3'),
    (1.0, '1.00'),
    (0.0030369, '0.00304'),
    (0.0004, '0.00040'),
    (-3.48e-5, '-3.5e-05'),
  ],
)
def test_numbers_have_three_digits(x, expected):
  assert tables.number(x) == expected


@pytest.mark.parametrize('case', speed.CASES)
def test_every_case_of_speed_runs(case):
  found = speed.measure_here(case, n=40, dims=5)
  assert found['seconds'] > 0
  assert 0.05 < found['peak_gb'] < 64


def test_a_process_of_its_own_measures(monkeypatch):
  (line,) = speed.lines_of('vendi', n=40, dims=5, repeats=1)
  assert line['case'] == 'vendi' and line['n'] == 40
  assert 0 < line['seconds'] < 60 and line['peak_gb'] > 0.05


def test_speed_tables_have_medians_for_each_device():
  line = {'case': 'fid', 'n': 1000, 'dims': 8, 'versions': {'jax': '0'}}
  lines = [
    {**line, 'device': d, 'round': i, 'seconds': s, 'peak_gb': s / 10}
    for d in ('here', 'there')
    for i, s in enumerate((3.0, 1.0, 7.0))
  ]
  text = speed.report(lines)
  assert text.count('**3.0** (1.0 to 7.0) | **0.30** | 15 s, 3 GB') == 2
  assert text.startswith('here; jax 0; 1,000 against 1,000 x 8')


def test_verdicts_name_the_nets_that_fail():
  line = lambda net, name, v: {'features': net, 'condition': name, 'kid': v}
  lines = [
    line(net, name, v if net == 'pixels' else -v)
    for net in ('classifier', 'pixels')
    for ladder in ordering.EXPECTED['kid']
    for v, name in enumerate(ordering.LADDERS[ladder])
  ]
  bad = '↑ **not** classifier'
  row = f'| kid | {bad} | {bad} | {bad} | {bad} |  |'
  assert ordering.verdicts(lines).splitlines()[2:] == [row]


# ------------------------------------------------------ what the study shows


def test_readme_shows_what_the_lines_say():
  lines = tables.read(ordering.RESULTS)
  found = [(line['features'], line['condition']) for line in lines]
  assert found == [(n, c) for n in ordering.NETS for c in ordering.CONDITIONS]
  assert tables.shown(ordering.PAGE, 'order') == ordering.verdicts(lines)
  assert tables.shown(ordering.PAGE, 'scores') == ordering.report(lines)
  assert tables.shown(speed.PAGE, 'speed') == speed.report(
    tables.read(speed.RESULTS)
  )


@pytest.mark.parametrize('net', ordering.NETS)
@pytest.mark.parametrize('score', ordering.DISTANCES)
def test_every_distance_is_in_order(score, net):
  lines = ordering.of_net(tables.read(ordering.RESULTS), net)
  if score == 'laplacian_swd' and net != 'pixels':
    assert score not in lines[0]  # it is of pictures
    return
  for ladder in ordering.EXPECTED[score]:
    assert ordering.in_order(lines, score, ladder), ladder
