"""A user's mistakes with the ablation command, each told in one line."""

import pytest

from gan_jax import ablate
from tests.run.test_commands import complaint, contents
from tests.study.small import ONE
from tests.study.test_study_plan import ROOT, write

pytestmark = pytest.mark.usefixtures('clone')


MISTAKES = [
  ((), ('--study is missing',)),
  (('--study=STUDY',), ('--workdir is missing',)),
  (('--study=nowhere.py', '--workdir=W'), ('nowhere.py', 'no such file')),
  (('--study=STUDY', '--workdir=W', '--engine=foo'), ("'foo'", 'local')),
  (('--study=STUDY', '--workdir=W', '--workers=-1'), ('--workers=-1',)),
  (('--study=STUDY', '--workdir=W', '--workers=2'), ('one job at a time',)),
  (('--study=STUDY', '--workdir=W', '--memory_mb=-1'), ('--memory_mb=-1',)),
  (('--study=STUDY', '--workdir=W', '--options=x'), ('--options=x',)),
  (('--study=STUDY', '--workdir=W', '--options=a=1'), ('--options.a',)),
  (('--study=STUDY', '--workdir=FILE'), ('FILE', '--workdir')),
  (('--compare=A', '--workdir=W'), ('expected two',)),
  (('--compare', 'A', '--workdir=W'), ('expected two',)),
  (('--compare', 'A', 'B'), ('--workdir is missing',)),
  (('--compare', 'A', 'B', '--workdir=W'), ('A: neither a run nor a study',)),
  (('--compare=A,B', '--workdir=W', '--study=STUDY'), ('cannot be used with',)),
]  # fmt: skip


@pytest.mark.parametrize('argv, words', MISTAKES)
def test_mistakes_are_told_in_one_line(
  argv, words, tmp_path, capfd, monkeypatch
):
  study = write(tmp_path / 'mine', **ONE, base=f'{ROOT}/configs/ring8.py:tiny')
  (tmp_path / 'FILE').write_text('mine')
  monkeypatch.chdir(tmp_path)
  argv = [word.replace('STUDY', str(study)) for word in argv]
  before = contents(tmp_path)
  line = complaint(capfd, ablate.main, *argv)
  assert all(word in line for word in words), line
  assert contents(tmp_path) == before


def test_a_workdir_of_another_study_and_of_a_run(copied, capfd):
  study, workdir = copied
  other = write(study.parents[1] / 'yours', **ONE)
  before = contents(workdir)
  line = complaint(
    capfd, ablate.main, f'--study={other}', f'--workdir={workdir}'
  )
  assert "holds the study 'mine', not 'yours'" in line
  run = next(workdir.glob('fast-*'))
  line = complaint(capfd, ablate.main, f'--study={study}', f'--workdir={run}')
  assert 'holds a run, not a study' in line
  assert contents(workdir) == before


@pytest.mark.parametrize(
  'engine, package', [('slurm', 'submitit'), ('ray', 'ray')]
)
def test_an_engine_that_is_not_installed(
  engine, package, copied, capfd, monkeypatch
):
  study, workdir = copied
  monkeypatch.setitem(__import__('sys').modules, package, None)
  line = complaint(
    capfd, ablate.main, f'--study={study}', f'--workdir={workdir}',
    f'--engine={engine}',
  )  # fmt: skip
  assert f"pip install 'gan_jax[{engine}]'" in line
