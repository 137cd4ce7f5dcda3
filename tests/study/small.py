"""A small study, and an edited one."""

from tests.study.test_study_plan import write

ONE = {'factors': {'loss.name': ('cross_entropy', 'lsgan')}, 'num_seeds': 2}


def edit(study, **told):
  return write(study.parent, **ONE | told)
