"""What is planned beside what is measured, and the tables of it."""

from experiments import tables
from experiments.benchmarks import predicted, predictions, wrappers
from gan_jax.study import plan as study_plan


def line(planned, measured):
  whole = dict.fromkeys(predictions.COLUMNS, 1.0)
  return {
    'case': 'digits',
    'planned': whole | {'step': planned},
    'measured': whole | {'step': measured},
  }


def test_the_table_has_the_medians_and_marks_what_is_far():
  near = [line(0.8, 1.0), line(0.9, 1.0), line(3.0, 1.0)]
  row = predictions.table(near).splitlines()[-1]
  assert row.startswith('| `digits`, 300 steps | 1 s: 0.90 | 1 s: 1.00 |')
  row = predictions.table([line(0.7, 1.0)]).splitlines()[-1]
  assert '1 s: **0.70**' in row
  study = {'case': 'study', 'planned': {'run': 9.0}, 'measured': {'run': 10.0}}
  row = predictions.table([study]).splitlines()[-1]
  assert (
    row == '| six cells of ring8, 1,000 steps | – | 10 s: 0.90 | – | – | – |'
  )


def test_short_calls_do_not_count():
  calls = [(1, 9.0), (20, 2.0), (40, 2.0), (40, 4.0), (40, 40.0)]
  assert predicted._step(calls) == 0.1


def test_the_study_has_six_cells():
  with predicted._study() as path:
    cells = study_plan.configs(path)
  assert len(cells) == 6
  assert {one['steps'] for one in cells.values()} == {1000}


def test_every_case_is_a_recipe_that_is_reported_and_scored():
  for case in set(predicted.CASES) - {'study'}:
    config = predicted.config(case)
    steps = predicted.CASES[case]
    assert config['steps'] == steps
    assert 0 < config['report_every'] < config['eval_every'] < steps


def test_the_pages_show_what_the_files_hold():
  for module, name in ((predictions, 'predictions'), (wrappers, 'wrappers')):
    lines = tables.read(module.RESULTS)
    assert lines and tables.shown(module.PAGE, name) == module.table(lines)
