"""The command on a study's page makes that study again, whatever its path."""

import html
import io
import pathlib
import re
import shlex
import sys
import types

import pytest

from gan_jax import ablate
from gan_jax.run import command
from gan_jax.run.recovery import rollback
from gan_jax.study import status
from gan_jax.study.statistics import analysis
from gan_jax.study.statistics.types import Contrast
from tests.study.test_compare_metrics import run, scored


def shown(workdir):
  """The words of the command on a page, as a shell reads them."""
  page = (pathlib.Path(workdir) / 'report.html').read_text('utf-8')
  (text,) = re.findall('How to reproduce.*?<pre[^>]*>(.*?)</pre>', page, re.S)
  words = shlex.split(html.unescape(text))
  assert words[:3] == ['python', '-m', 'gan_jax.ablate']
  return words[3:]


@pytest.mark.parametrize('out', ['my runs/it\'s & "so"', 'plain', './a/../b'])
def test_a_study_names_its_workdir(out, copied, trained, monkeypatch):
  study, workdir = copied
  root = study.parents[1]
  monkeypatch.chdir(root)
  place = pathlib.Path('my studies') / 'mine'
  place.parent.mkdir()
  study.parent.rename(place)
  pathlib.Path('a').mkdir()
  pathlib.Path(out).parent.mkdir(exist_ok=True)
  workdir.rename(out)
  ablate.main(['', f'--study={place}/study.py', f'--workdir={out}'])
  before = (pathlib.Path(out) / 'results.jsonl').read_bytes()
  (pathlib.Path(out) / 'results.jsonl').unlink()
  ablate.main(['', *shown(out)])
  assert (pathlib.Path(out) / 'results.jsonl').read_bytes() == before
  assert not trained


@pytest.mark.parametrize('names', [('a b', 'c'), ('a,b', 'c, d'), ("o'n", 'p')])
def test_a_comparison_names_both_and_its_folder(names, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in names:
    run(pathlib.Path(name), scored('fid', 1.0) + scored('kid', 1.0))
  out = pathlib.Path('my report')
  argv = ['', '--compare', *names, '--metric=kid', f'--workdir={out}']
  ablate.main(argv)
  words = shown(out)
  assert f'--workdir={out}' in words and '--metric=kid' in words
  first = (out / 'report.html').read_text()
  (out / 'report.html').unlink()
  ablate.main(['', *words])
  assert shown(out) == words and 'c' in first


def test_a_replay_is_advised_as_a_shell_takes_it():
  policy = rollback.Policy(0, 1, 0)
  last = rollback.Start(None, 8, True, [], None, ())
  line = rollback._hint(pathlib.Path('my runs/x'), last, policy, dumped=True)
  assert '--workdir=my runs/x' in shlex.split(line)


@pytest.mark.parametrize('encoding', ['ascii', 'latin-1', 'cp1252'])
def test_a_terminal_without_the_letters_costs_nothing(encoding, monkeypatch):
  out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
  monkeypatch.setattr(sys, 'stdout', out)
  command.run(lambda argv: print('\u732b \u2192 x.png'), [''])
  out.flush()
  assert b'\\u732b' in out.buffer.getvalue()


@pytest.mark.parametrize(
  'statuses, left',
  [
    (['finished', 'finished'], 'done'),
    (['finished', 'diverged'], 'done, 1 diverged'),
    (['diverged', 'diverged'], 'done, 2 diverged'),
    (['diverged'], ''),
  ],
)
def test_the_board_says_which_cells_have_diverged(statuses, left):
  rows = [{'status': s, 'scores': {}} for s in statuses]
  asked = types.SimpleNamespace(num_seeds=2, metric='fid')
  board = types.SimpleNamespace(_by_cell={'a': rows}, _study=asked)
  board._score_so_far = None  # nobody is working
  cell = types.SimpleNamespace(name='a', identity='0')
  assert status.StudyStatus._row(board, cell, {}).left == left


def test_without_any_pair_more_seeds_are_no_advice():
  (found,) = analysis.analyse(
    {'a': [1.0, 2.0], 'b': [None, None]},
    (Contrast('b', 'cell', {'b': 1.0, 'a': -1.0}),),
    metric='fid',
    lower_is_better=True,
    baseline='a',
  ).comparisons
  assert found.words == 'cannot tell: no seed has a score in both'
