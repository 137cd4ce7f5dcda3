"""What is compared is asked for by name and of one protocol, never by place."""

import json

import pytest

from gan_jax import ablate, evaluate
from gan_jax.metrics import records
from gan_jax.run import command
from gan_jax.study import compare
from gan_jax.types import UserError
from tests.run.hooks_room import recipe
from tests.run.test_commands import complaint

SEEDS = (0, 1, 2)
CLASSIFIER = {'features': 'classifier', 'n_fake': 50, 'reference': 'd/train'}
PIXELS = CLASSIFIER | {'features': 'pixels'}


def scored(metric, base, how=CLASSIFIER, step=8):
  """Records of three seeds; the values are told apart by the base."""
  return [
    {'metric': metric, 'value': base + s / 8, 'step': step, 'seed': s} | how
    for s in SEEDS
  ]


def run(folder, found, *, own=None, **config):
  """A finished run with these records; own: those of its training."""
  folder.mkdir(parents=True)
  config = recipe(num_seeds=len(SEEDS), **config)
  (folder / 'config.json').write_text(json.dumps(config))
  (folder / 'scores.json').write_text(json.dumps(found))
  if own:
    spans = {r['metric']: [[2, records.protocol_hash(r)]] for r in own}
    (folder / 'score_protocols.json').write_text(json.dumps(spans))
  return folder


def values(view, metric=None):
  return [
    [row['scores'][metric or view.metric] for row in cell.runs]
    for cell in view.cells
  ]


PARTS = {'fid': 1.0, 'class_coverage': 2.0, 'kid': 3.0}


@pytest.mark.parametrize('order', [[*PARTS], [*PARTS][::-1]])
@pytest.mark.parametrize(
  'config, metric',
  [
    ({}, 'fid'),  # the usual one, as the config names none
    ({'metrics': ('kid', 'fid')}, 'kid'),
    ({'best_metric': 'class_coverage', 'metrics': ('kid',)}, 'class_coverage'),
    ({'stop_when': {'metric': 'kid', 'below': 1}}, 'kid'),
    ({'metrics': ('prdc', 'fid')}, 'fid'),  # that was never scored
  ],
)
def test_the_metric_is_the_configs(order, config, metric, tmp_path):
  found = [r for m in order for r in scored(m, PARTS[m])]
  a = run(tmp_path / 'a', found, **config)
  b = run(tmp_path / 'b', found[::-1], **config)
  view = compare.view(a, b)
  assert view.metric == metric and set(view.also) == {*PARTS} - {metric}
  assert values(view) == [[PARTS[metric] + s / 8 for s in SEEDS]] * 2
  for other in ('fid', 'kid'):
    view = compare.view(a, b, metric=other)
    assert view.metric == other and values(view)[0][0] == PARTS[other]
    assert f'--metric={other}' in view.commands[0]


@pytest.mark.parametrize('turned', [False, True])
def test_scores_are_paired_by_protocol(turned, tmp_path):
  """Both were scored again: with more samples, and by pixels."""
  more = CLASSIFIER | {'n_fake': 500}
  parts = [
    scored('fid', 1.0, more), scored('fid', 2.0, PIXELS), scored('fid', 3.0),
    scored('fid', 4.0, step=4),
  ]  # fmt: skip
  found = sum(parts[::-1] if turned else parts, [])
  a = run(tmp_path / 'a', found, own=scored('fid', 0))
  theirs = [r | {'value': r['value'] + 10} for r in found]
  b = run(tmp_path / 'b', theirs[::-1], own=scored('fid', 0, PIXELS))
  assert [v[0] for v in values(compare.view(a, b))] == [3.0, 13.0]
  assert [v[0] for v in values(compare.view(b, a))] == [12.0, 2.0]
  assert 'classifier, 50 samples' in compare.view(a, b).notes[0]
  rows = records.compare(found, theirs[::-1])
  assert len(rows) == 3 and {r['difference'] for r in rows} == {-10.0}


def test_no_protocol_in_common_names_both(tmp_path, capfd):
  a = run(tmp_path / 'a', scored('fid', 1.0) + scored('kid', 1.0))
  other = CLASSIFIER | {'n_fake': 9}
  found = scored('fid', 1.0, PIXELS) + scored('fid', 1.0, other)
  b = run(tmp_path / 'b', found + scored('kid', 2.0))
  with pytest.raises(UserError, match='classifier, 50 .*and .*pixels, 50 '):
    compare.view(a, b)
  view = compare.view(a, b, metric='kid')  # which both have
  assert view.also == () and 'no protocol in common' in view.notes[0]
  with pytest.raises(UserError, match='--metric=swd: not in common: fid, kid'):
    compare.view(a, b, metric='swd')
  evaluate.main(['', '--compare', str(a), str(b)])
  said = capfd.readouterr().out
  assert 'fid: no protocol in common' in said and 'kid: a 1.1' in said
  line = complaint(capfd, evaluate.main, '--metric=fid', f'--compare={a},{b}')
  assert 'fid: no protocol in common' in line


def test_curves_are_of_one_protocol(tmp_path):
  a = run(tmp_path / 'a', scored('fid', 1.0))
  b = run(tmp_path / 'b', scored('fid', 1.0))
  rows = [{'step': s, 'fid': [s, s, s], 'd_loss': [1, 1, 1]} for s in (4, 8)]
  for one in (a, b):
    lines = ''.join(json.dumps(row) + '\n' for row in rows)
    (one / 'metrics.jsonl').write_text(lines)
  spans = {'fid': [[4, 'x'], [8, 'y']]}
  (b / 'score_protocols.json').write_text(json.dumps(spans))
  mixed, changed = compare.view(a, b).cells
  assert [row.get('fid') for row in mixed.rows] == [[4] * 3, [8] * 3]
  assert [row.get('fid') for row in changed.rows] == [None, [8] * 3]


def study(folder, base):
  """A study of two cells; one run was scored again afterwards."""
  rows = []
  for cell, add in (('slow', 0.0), ('fast', 0.5)):
    found = scored('fid', base + add)
    again = scored('class_coverage', 9.0) + scored('fid', 7.0, PIXELS)
    run(folder / f'{cell}-1', again + found, own=found)
    own = {r['seed']: {'fid': r['value']} for r in found}
    rows += [
      {
        'cell': cell, 'overrides': {}, 'seed': s, 'status': 'finished',
        'reason': '', 'steps': 8, 'scores': own[s], 'run': f'{cell}{s}',
        'health': {'verdict': 'healthy', 'reason': ''}, 'folder': f'{cell}-1',
      }
      for s in SEEDS
    ]  # fmt: skip
  lines = ''.join(json.dumps(row) + '\n' for row in rows)
  (folder / 'results.jsonl').write_text(lines)
  (folder / 'study.json').write_text(json.dumps({'metrics': ['fid']}))
  return folder


def test_studies_are_compared_by_name_too(tmp_path, capsys):
  a, b = study(tmp_path / 'a', 1.0), study(tmp_path / 'b', 2.0)
  view = compare.view(a, b)
  assert view.metric == 'fid'
  assert [v[0] for v in values(view)] == [1.0, 2.0, 1.5, 2.5]
  view = compare.view(a, b, metric='class_coverage')
  assert [v[0] for v in values(view)] == [9.0] * 4
  evaluate.main(['', f'--compare={a},{b}', '--metric=fid'])
  said = capsys.readouterr().out.splitlines()
  assert said[0] == f'a: {a}: slow' and said[4] == f'a: {a}: fast'
  assert len(said) == 8 and all('fid [' in said[k] for k in (2, 3, 6, 7))


@pytest.mark.parametrize(
  'form', ['{0},{1}', '={0},{1}', ' {0} {1}', '={0} {1}']
)
def test_both_commands_take_all_forms(form, tmp_path, capsys):
  found = scored('fid', 1.0)
  a, b = run(tmp_path / 'a', found), run(tmp_path / 'b,c', found)
  text = form if form[0] in ' =' else f' {form}'
  argv = ['', *f'--compare{text}'.format(a, b).split(' ')]
  evaluate.main(argv)
  assert 'a - b 0' in capsys.readouterr().out
  ablate.main([*argv, '--metric=fid', f'--workdir={tmp_path / "out"}'])
  assert (tmp_path / 'out' / 'report.html').exists()
  assert command.pair(['x', '--num=3'], 'compare') == ['x', '--num=3']
