"""The best checkpoint: by scores of one protocol, that of the run as it is."""

import json

import jax
import numpy as np
import pytest

from gan_jax.metrics import records
from gan_jax.report import page, protocols
from gan_jax.run import scoring
from gan_jax.run import setup as setup_lib
from gan_jax.run.workdir import contents, ranking
from gan_jax.storage import files
from gan_jax.types import UserError
from tests.run.hooks_room import recipe

NAMES = ('fid', 'coverage')
USUAL = {
  'features': 'classifier', 'features_hash': 'f0', 'reference': 'digits/train',
  'reference_hash': 'r0', 'n_real': 90, 'n_fake': 50, 'draws': 1, 'ema': True,
  'protocol': '', 'k': 5, 'closed': False,
}  # fmt: skip
# What a run may go on with.
CHANGES = [
  {'features': 'pixels', 'features_hash': 'p0'},
  {'features_hash': 'f1'},  # another version of the net
  {'n_fake': 100},
  {'k': 3},
  {'reference_hash': 'r1'},
  {'protocol': 'classifier-10k-test', 'reference': 'digits/test'},
  {'draws': 5},
  {'labels': 'balanced'},
  {'truncation': 0.7},
]


def made(step, fid, coverage=0.5, **how):
  values = {'fid': fid, 'coverage': coverage}
  common = {'step': step, 'seed': 0} | USUAL | how
  return [{'metric': m, 'value': v, **common} for m, v in values.items()]


def save(workdir, rows, *, fits=lambda record: True, **config):
  """Saves {step: records}, each with the run's config of that time."""
  config = {'stop_when': {}, 'best_metric': ''} | config
  opened = contents.open_checkpoints(workdir, config, NAMES, fits=fits)
  with opened as checkpoints:
    for step, found in rows.items():
      meta = {'records': found}
      checkpoints.save(step, {'x': np.full(3, step)}, meta, wait=True)


def opened(workdir, *, fits=lambda record: True, **config):
  config = {'stop_when': {}, 'best_metric': ''} | config
  with contents.open_checkpoints(
    workdir, config, NAMES, fits=fits, read_only=True
  ) as checkpoints:
    return checkpoints.steps(), checkpoints.best_step()


@pytest.mark.parametrize('change', CHANGES, ids=lambda c: '+'.join(c))
def test_scores_of_another_protocol_are_not_ranked_against(change, tmp_path):
  save(tmp_path, {1: made(1, 0.4), 2: made(2, 9.0)})
  new = {3: made(3, 80.0, **change), 4: made(4, 70.0, **change)}
  save(tmp_path, new | {5: made(5, 75.0, **change)})
  assert opened(tmp_path) == ([4, 5], 4)


def test_the_old_best_stays_until_there_is_a_score_of_now(tmp_path):
  fits = lambda record: record['features'] == 'pixels'
  save(tmp_path, {1: made(1, 0.4), 2: made(2, 9.0), 3: made(3, 8.0)})
  save(tmp_path, {4: [], 5: made(4, 0.1)}, fits=fits)
  assert opened(tmp_path, fits=fits) == ([1, 4, 5], None)
  pixels = {'features': 'pixels', 'features_hash': 'p0'}
  save(tmp_path, {6: made(6, 99.0, **pixels)}, fits=fits)
  assert opened(tmp_path, fits=fits) == ([5, 6], 6)


def test_another_metric_ranks_the_steps_of_before_too(tmp_path):
  save(tmp_path, {1: made(1, 0.4, 0.1), 2: made(2, 9.0, 0.8)})
  assert opened(tmp_path)[1] == 1
  assert opened(tmp_path, best_metric='coverage')[1] == 2
  goal = {'metric': 'coverage', 'above': 0.9}
  assert opened(tmp_path, stop_when=goal)[1] == 2


def test_scores_that_there_are_not_rank_nothing(tmp_path):
  none = [{**r, 'value': None, 'reason': 'too few'} for r in made(3, 0.0)]
  mixed = made(4, 0.0) + [{**r, 'seed': 1} for r in made(4, 0.0, n_fake=9)]
  save(tmp_path, {1: made(1, 2.0), 3: none, 4: mixed, 5: made(4, 0.0)})
  assert opened(tmp_path) == ([1, 4, 5], 1)


def test_a_mean_of_fewer_seeds_is_no_better(tmp_path):
  """Where a seed has died, the others may have a better mean without it."""
  dead = [r | {'seed': 1, 'value': None, 'reason': 'x'} for r in made(4, 0.0)]
  both = lambda step, *fids: (
    made(step, fids[0]) + [r | {'seed': 1} for r in made(step, fids[1])]
  )
  save(tmp_path, {1: both(1, 5.0, 9.0), 2: both(2, 5.0, 8.0)})
  save(tmp_path, {4: made(4, 3.0) + dead, 5: both(5, 7.0, 8.0)})
  assert opened(tmp_path) == ([2, 4, 5], 2)
  save(tmp_path / 'b', {1: made(1, 5.0), 4: made(4, 3.0) + dead})
  assert opened(tmp_path / 'b')[1] == 1
  only = [{**r, 'step': 7} for r in made(4, 3.0) + dead]
  save(tmp_path / 'c', {4: made(4, 4.0) + dead, 7: only})
  assert opened(tmp_path / 'c')[1] == 7  # nothing better is there


@pytest.mark.parametrize('metric, best', [('fid', 3), ('coverage', 4)])
def test_ties_are_the_newest_whichever_way_is_better(metric, best, tmp_path):
  rows = {1: (2.0, 0.1), 2: (1.0, 0.4), 3: (1.0, 0.7), 4: (5.0, 0.7)}
  save(tmp_path, {s: made(s, *values) for s, values in rows.items()})
  assert opened(tmp_path, best_metric=metric)[1] == best


def test_scores_below_zero_rank_by_their_size(tmp_path):
  kid = lambda step, value: [
    r | {'metric': 'kid'} for r in made(step, value)[:1]
  ]
  found = {1: kid(1, -0.2), 2: kid(2, -3.0), 3: kid(3, 0.0)}
  names, config = ('kid',), {'stop_when': {}, 'best_metric': ''}
  with contents.open_checkpoints(tmp_path, config, names) as checkpoints:
    for step, rows in found.items():
      state = {'x': np.full(3, step)}
      checkpoints.save(step, state, {'records': rows}, wait=True)
    assert checkpoints.best_step() == 2


def test_scores_made_later_rank_too(tmp_path):
  """A finished run that was scored again by the protocol that it has now."""
  fits = lambda record: record['features'] == 'pixels'
  pixels = {'features': 'pixels', 'features_hash': 'p0'}
  save(tmp_path, {4: made(4, 0.4), 8: made(8, 0.2)})
  assert opened(tmp_path, fits=fits)[1] is None
  later = made(4, 30.0, **pixels)
  files.write_json(tmp_path / 'scores.json', made(8, 0.1) + later)
  assert opened(tmp_path, fits=fits)[1] == 4
  # Of the step, but of the state before it was rolled back.
  gone = made(8, 1.0, **pixels, rollbacks=1)
  files.write_json(tmp_path / 'scores.json', [*later, *gone, 'damaged'])
  assert opened(tmp_path, fits=fits)[1] == 4
  files.write_json(tmp_path / 'scores.json', later + made(8, 1.0, **pixels))
  assert opened(tmp_path, fits=fits)[1] == 8
  assert opened(tmp_path)[1] == 8  # the records of the checkpoints themselves


def test_the_best_of_now_or_a_line(tmp_path):
  config = {'stop_when': {}, 'best_metric': '', 'features': 'pixels'}
  save(tmp_path, {1: made(1, 0.4), 7: made(7, 0.5)})
  with contents.open_checkpoints(
    tmp_path, config, NAMES, fits=lambda r: False, read_only=True
  ) as checkpoints:
    with pytest.raises(UserError, match='features=pixels.* 1, 7') as caught:
      ranking.check_best(tmp_path, config, checkpoints)
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('change', CHANGES[:4], ids=lambda c: '+'.join(c))
def test_the_last_scores_of_another_protocol_are_made_anew(change):
  usual = {k: USUAL[k] for k in change}
  fits = lambda record: all(record[k] == v for k, v in usual.items())
  still = lambda found: ranking.still_valid(found, NAMES, fits)
  right, none = made(8, 1.0), {'value': None, 'reason': 'too few'}
  assert still(right) == right
  assert still(made(8, 1.0, **change)) == [] == still(right[:1])
  assert still([right[0], {**right[1], **none}]) == []


@pytest.fixture(scope='module')
def scored():
  """(setup, protocol, records) of an untrained run on ring8."""
  setup = setup_lib.build(recipe())
  protocol = scoring.EvalProtocol(num_samples=64)
  names = ('modes', 'fid', 'coverage')
  look = scoring.make_look(setup, names, protocol=protocol)
  like = jax.eval_shape(setup.init).ema
  ema = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), like)
  ((_, compute),) = look(0, ema, setup.keys, [0])
  return setup, protocol, compute()


def test_what_a_run_makes_now_fits(scored):
  setup, protocol, found = scored
  fits = scoring.fitting(setup, protocol)
  assert all(map(fits, found)) and len(found) == 3
  # Of another length, another protocol, other data.
  assert not any(
    map(scoring.fitting(setup, protocol._replace(num_samples=65)), found)
  )
  named = protocol._replace(name='clean-10k-test')
  assert not any(map(scoring.fitting(setup, named), found))
  data = setup.dataset._replace(fingerprint='other')
  other = setup._replace(dataset=data)
  assert not any(map(scoring.fitting(other, protocol), found))
  assert [fits({**r, 'k': 3}) for r in found] == [True, True, False]
  # Modes are counted in the samples themselves, whatever the features.
  looked = [fits({**r, 'features': r['features'] + '2'}) for r in found[1:]]
  assert looked == [False, False] and found[0]['features'] == 'samples'


@pytest.mark.parametrize('change', CHANGES[:4], ids=lambda c: '+'.join(c))
def test_a_curve_is_of_one_protocol(change, tmp_path):
  kept = protocols.ScoreProtocols(tmp_path, 0)
  rows = []
  for step in (2, 4, 6):
    how = change if step > 4 else {}
    kept.note(step, made(step, step / 8, **how))
    kept = protocols.ScoreProtocols(tmp_path, step)  # as a resumed run has it
    rows.append({'step': step, 'fid': step / 8, 'fid_low': 0.1, 'd_loss': 1.0})
  shown, since = protocols.of_one(rows, tmp_path)
  assert [row.get('fid') for row in shown] == [None, None, 0.75]
  assert [row.get('fid_low') for row in shown] == [None, None, 0.1]
  assert [row['d_loss'] for row in shown] == [1.0] * 3
  assert since == {'fid': 6, 'coverage': 6}
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  files.write_text(tmp_path / 'metrics.jsonl', lines)
  assert 'from step 6; earlier scores' in page.write_page(tmp_path).read_text()
  protocols.ScoreProtocols(tmp_path, 5).note(6, made(6, 0.2))  # went back
  assert protocols.of_one(rows, tmp_path) == (rows, {})


def test_hashes_of_protocols():
  one, other = made(1, 2.0)[0], made(9, 3.0)[0] | {'seed': 4, 'versions': {}}
  assert records.protocol_hash(one) == records.protocol_hash(other)
  hashes = {records.protocol_hash(one | change) for change in CHANGES}
  assert len(hashes) == len(CHANGES)
