"""gpu.sh: every stage ends in time, and what others have written stays."""

import json
import os
import pathlib
import stat
import subprocess

SCRIPT = pathlib.Path('experiments/benchmarks/gpu.sh')
ROOT = pathlib.Path(__file__).resolve().parents[1]
# In place of Python: products fail, tests hang, the second benchmark fails.
PYTHON = """#!/bin/bash
all="$*"
for word in "$@"; do
  case $word in --out=*) out=${word#--out=};; esac
  case $word in --workdir=*) run=${word#--workdir=};; esac
done
case $all in
  *benchmarks.rates*) echo 'no "rates" \\ here'; exit 3;;
  *gan_jax.train*)
    mkdir -p "$run"
    printf '[{\\n"value": 1}]' > "$run/scores.json";;
  *'-m pytest '*) sleep 30;;
  *--only=first*) echo '{"case": "first"}' >> "$out";;
  *--only=second*) exit 1;;
esac
"""


def run(folder, **environment):
  """The lines of the results, by a Python that does nothing."""
  python, out = folder / 'python', folder / 'results.jsonl'
  python.write_text(PYTHON)
  python.chmod(python.stat().st_mode | stat.S_IXUSR)
  subprocess.run(
    [ROOT / SCRIPT, out],
    env={**os.environ, 'PYTHON': str(python), **environment},
    check=True,
    capture_output=True,
    cwd=folder,
  )
  return [json.loads(line) for line in out.read_text().splitlines()]


def test_a_stage_that_fails_or_hangs_costs_no_other(tmp_path):
  lines = run(tmp_path, CASES='first second', TESTS='1')
  stages = {x['stage']: x for x in lines if x['case'] == 'stage'}
  assert {name: x['rc'] for name, x in stages.items()} == {
    'machine': 0,
    'rates': 3,
    'recipe': 0,
    'tests': 124,  # stopped
    'bench first': 0,
    'bench second': 1,
  }
  assert stages['rates']['end'] == 'no "rates" \\ here\n'
  assert stages['tests']['limit'] == 1
  rest = [x for x in lines if x['case'] != 'stage']
  assert [x['case'] for x in rest] == ['recipe', 'first']
  assert rest[0]['scores'] == [{'value': 1}]


def test_beyond_all_of_its_time_it_begins_nothing(tmp_path):
  lines = run(tmp_path, CASES='first', TOTAL='0')
  assert [x['rc'] for x in lines] == [None] * 5
