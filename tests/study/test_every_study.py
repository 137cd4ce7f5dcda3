"""Every study that is shipped, shrunk, by its command."""

import itertools

import pytest

from gan_jax import ablate
from gan_jax.run import command
from gan_jax.storage import files
from gan_jax.study import results, study_file
from tests.run.test_resume import NOT_AT_HAND, substitute
from tests.study.test_study_plan import ROOT, STUDIES

SHRUNK = {
  'steps': 4, 'report_every': 2, 'save_every': 4, 'eval_every': 0,
  'eval_samples': 64, 'health_every': 2,
}  # fmt: skip


def few(items, number):
  """The first of a dict's or a tuple's entries."""
  if isinstance(items, dict):
    return dict(itertools.islice(items.items(), number))
  return items[:number]


def shrink(study, folder):
  """Two levels of two factors, two seeds, four steps of tiny nets."""
  overrides = {**study['overrides'], **SHRUNK}
  data = overrides.get('data') or command.load_config(study['base'])['data']
  metrics = {}
  if data['name'].removeprefix('stacked_') in NOT_AT_HAND:
    overrides.pop('data', None)
    overrides |= substitute({'name': NOT_AT_HAND[0]}, folder)
    metrics = {'metric': 'precision', 'also': ('recall',)}  # without a net
  factors = {
    key: few(levels, 2) for key, levels in few(study['factors'], 2).items()
  }
  return {
    **study,
    **metrics,
    'base': f'{study["base"]}:tiny',
    'overrides': overrides,
    'factors': factors,
    'num_seeds': 2,
  }


@pytest.mark.slow
@pytest.mark.parametrize('path', STUDIES, ids=lambda path: path.parent.name)
def test_its_command_answers(path, tmp_path, monkeypatch, capfd):
  monkeypatch.chdir(ROOT)
  study = shrink(study_file.read(path), tmp_path)
  file, workdir = tmp_path / 'study.py', tmp_path / 'runs'
  file.write_text(f'def get_study():\n  return {study!r}\n')
  ablate.main(['', f'--study={file}', f'--workdir={workdir}', '--workers=1'])
  rows = results.read(workdir / 'results.jsonl')
  assert {row['status'] for row in rows} == {'finished'}
  assert {row['seed'] for row in rows} == {0, 1}
  assert all(set(row['scores']) >= {study['metric']} for row in rows)
  table = (workdir / 'table.md').read_text()
  for cell in {row['cell'] for row in rows}:
    assert cell in table
  assert study['question'] in (workdir / 'report.html').read_text()
  assert files.read_json(workdir / 'study.json')
