"""Two finished runs, or studies, side by side."""

import json

import pytest

from gan_jax import ablate
from tests.run.test_commands import complaint
from tests.study.small import ONCE, ONE, RATE
from tests.study.test_study_plan import write

pytestmark = pytest.mark.usefixtures('clone')


def beside(tmp_path, *pair):
  argv = ['ablate', '--compare', *map(str, pair), f'--workdir={tmp_path / "c"}']
  ablate.main(argv)
  return tmp_path / 'c'


def test_two_runs_are_compared_seed_by_seed(finished, tmp_path, capsys):
  runs = [next(finished[1].glob(f'{n}-*')) for n in ('usual', 'fast')]
  out = beside(tmp_path, *runs)
  assert 'cannot tell from 2 pairs' in capsys.readouterr().out
  table = (out / 'table.csv').read_text()
  assert runs[0].name in table and runs[1].name in table
  page = (out / 'report.html').read_text()
  assert RATE in page and 'class="samples' in page


def test_two_studies_are_compared_cell_by_cell(copied, tmp_path):
  study, workdir = copied
  other = write(
    study.parents[1] / 'longer', **ONE | {'overrides': {**ONCE, 'steps': 12}}
  )
  ablate.ablate(other, workdir.parent / 'longer')
  pair = f'{workdir},{workdir.parent / "longer"}'
  view = ablate.compare(pair, tmp_path / 'c')
  tested = view.analyses[view.metric].comparisons
  assert [c.name for c in tested] == ['longer: usual', 'longer: fast']
  assert view.cells[1].differs['steps'] == 12
  for comparison, pair in zip(
    tested, (view.cells[:2], view.cells[2:]), strict=True
  ):
    a, b = [[r['scores'][view.metric] for r in cell.runs] for cell in pair]
    differences = [y - x for x, y in zip(a, b, strict=True)]
    assert list(comparison.differences) == differences


def test_what_cannot_be_compared(copied, tmp_path, capfd):
  study, workdir = copied
  first, second = sorted(workdir.glob('*-*'))
  config = json.loads((second / 'config.json').read_text())

  def refused(*words):
    line = complaint(
      capfd, ablate.main, '--compare', first, second, f'--workdir={tmp_path}/c'
    )
    assert all(word in line for word in words), line
    assert not (tmp_path / 'c').exists()

  records = json.loads((second / 'scores.json').read_text())
  other = [record | {'n_fake': 65} for record in records]
  (second / 'scores.json').write_text(json.dumps(other))
  refused('not comparable, n_fake differs: 64 and 65')
  (second / 'scores.json').write_text('[]')
  refused(second.name, 'not finished')
  (second / 'scores.json').write_text(json.dumps(records))
  later = [record | {'seed': record['seed'] + 5} for record in records]
  (second / 'scores.json').write_text(json.dumps(later))
  (second / 'config.json').write_text(json.dumps(config | {'seed': 5}))
  refused('no seed in common', '[0, 1] and [5, 6]')
