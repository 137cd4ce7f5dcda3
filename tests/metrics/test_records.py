"""Records: what may be compared, what replaces what."""

import pytest

from gan_jax.metrics import intervals, protocols, records
from gan_jax.types import UserError


def record(value=1.0, **changes):
  return {
    'metric': 'fid',
    'value': value,
    'interval': [value - 0.1, value + 0.1],
    'features': 'classifier',
    'features_hash': 'abc',
    'resize': '',
    'reference': 'digits/train',
    'reference_hash': 'def',
    'n_real': 1797,
    'n_fake': 2000,
    'draws': 1,
    'ema': True,
    'seed': 0,
    'step': 100,
    'versions': {'jax': '0.10'},
    **changes,
  }


@pytest.mark.parametrize('name', ['seed', 'step', 'versions', 'source'])
def test_runs_and_versions_are_comparable(name):
  records.check_alike(record(), record(2.0, **{name: 'another'}))


@pytest.mark.parametrize(
  'name',
  [
    'metric', 'features', 'features_hash', 'resize', 'reference',
    'reference_hash', 'n_real', 'n_fake', 'draws', 'ema', 'k', 'truncation',
  ],
)  # fmt: skip
def test_unlike_records_are_refused_by_the_name_of_the_field(name):
  with pytest.raises(UserError, match=f'not comparable, {name} differs') as e:
    records.check_alike(record(), record(**{name: 'another'}))
  assert '\n' not in str(e.value) and 'another' in str(e.value)
  with pytest.raises(UserError, match=name):
    records.compare([record()], [record(**{name: 'another'})])


def test_compare_takes_the_mean_over_seeds_of_the_last_step():
  a = [record(9.0, step=50), record(1.0), record(3.0, seed=1)]
  b = [record(2.5), record(7.0, metric='kid')]
  (row,) = records.compare(a, b)
  assert row == {
    'metric': 'fid',
    'a': 2.0,
    'b': 2.5,
    'difference': -0.5,
    'interval_a': None,
    'interval_b': [2.4, 2.6],
    'record': a[1],
  }


def test_compare_finds_the_protocol_that_both_have():
  a = [record(1.0, n_fake=500), record(2.0)]
  (row,) = records.compare(a, [record(5.0)])
  assert (row['a'], row['b']) == (2.0, 5.0)


def test_compare_needs_a_metric_in_common():
  with pytest.raises(UserError, match='no metric in common: fid and kid'):
    records.compare([record()], [record(metric='kid')])


def test_compare_takes_the_samples_of_one_source():
  """A file may hold the scores of several; no mean is of two generators."""
  of = lambda source, value: record(value, source=source, seed=None, step=None)
  one, two = [of('a.npz', 1.0)], [of('a.npz', 1.0), of('b.npz', 3.0)]
  assert records.compare(one, [of('b.npz', 3.0)])[0]['difference'] == -2
  with pytest.raises(UserError, match='in one file: a.npz, b.npz; --compare'):
    records.compare(one, two)
  other = [r | {'metric': 'kid'} for r in one]
  rows = records.compare(one + other, two + other)
  assert 'reason' in rows[0] and rows[1]['difference'] == 0


def test_join_replaces_what_is_measured_again_and_keeps_the_rest():
  before = [record(1.0), record(2.0, seed=1), record(3.0, n_fake=10)]
  again = record(9.0, versions={'jax': '0.12'}, interval=None)
  assert records.join(before, [again]) == [*before[1:], again]


def test_draws_are_merged_to_their_mean_with_an_interval():
  draws = [[record(v), record(10 * v, metric='kid')] for v in (1.0, 2.0, 3.0)]
  fid, kid = records.merge_draws(draws, intervals.of_draws)
  assert fid['value'] == 2 and kid['value'] == 20 and fid['draws'] == 3
  # t of 2 degrees of freedom: 4.3027 s / sqrt(3).
  assert fid['interval'] == pytest.approx([2 - 2.48414, 2 + 2.48414], 1e-5)
  assert fid['draw_values'] == [1.0, 2.0, 3.0]
  assert fid['interval_method'] == 'draws'
  assert records.merge_draws(draws[:1], None) == draws[0]


def test_versions_are_those_of_this_environment():
  import jax

  found = records.versions()
  assert found['jax'] == jax.__version__
  assert set(found) == {'gan_jax', 'jax', 'numpy', 'scipy'}


def test_protocols_say_how():
  assert len(protocols.PROTOCOLS) == 6
  p = protocols.get('tf-inception-50k-train')
  assert p == ('inception', 'tf', 'train', 50_000)
  assert protocols.get('clean-10k-test') == (
    'inception', 'clean', 'test', 10_000,
  )  # fmt: skip
  with pytest.raises(UserError, match='--protocol=fid50k: there are tf-incep'):
    protocols.get('fid50k')


def test_replace_drops_what_is_of_the_same_protocol():
  before = [record(1.0, step=50), record(2.0, n_fake=10)]
  new = [record(3.0)]
  assert records.replace(before, new) == [before[1], *new]


@pytest.mark.parametrize(
  'changes, told',
  [
    ({}, True),
    ({'value': None, 'interval': None}, True),
    ({'value': -5, 'interval': [None, 2]}, True),
    ({'value': 1e300}, True),
    ({'value': -1e300}, True),
    ({'value': 1.1e300}, False),
    ({'value': float('nan')}, False),
    ({'value': True}, False),
    ({'interval': [1.0]}, False),
    ({'interval': [1.0, 2.0, 3.0, 4.0]}, False),
    ({'interval': ['1', 2.0]}, False),
    ({'step': 2**63 - 1}, True),
    ({'step': 2**63}, False),
    ({'step': 1.0}, False),
    ({'metric': 3}, False),
  ],
)
def test_what_a_record_read_from_a_file_must_be(changes, told):
  assert records.is_record(record() | changes) is told
