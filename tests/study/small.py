"""A small study, and an edited one."""

from tests.study.test_study_plan import write

RATE = 'optim.g.learning_rate'
# Levels that are numbers, so that one program trains every cell.
USUAL, FAST, SLOW, SLOWER = (
  {'usual': 1e-3}, {'fast': 4e-3}, {'slow': 5e-4}, {'slower': 2e-4}
)  # fmt: skip
# One picture and one checkpoint of each run.
ONCE = {'report_every': 8, 'save_every': 8}
ONE = {'factors': {RATE: USUAL | FAST}, 'num_seeds': 2, 'overrides': ONCE}


def edit(study, **told):
  return write(study.parent, **ONE | told)
