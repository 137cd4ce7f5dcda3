"""What is measured anew takes the place of what was, and no other line's."""

import json
import shutil
import subprocess
import sys

import pytest

from experiments import tables
from experiments.benchmarks import (
  growing,
  growing_data,
  layouts,
  results,
  starting,
)

# {script: how it measures a case, and the case}
MEASURED = {
  growing: ('run_one', 'study'),
  growing_data: ('folders', 'folder'),
  layouts: ('measure', 'digits'),
  starting: ('measure', 'train'),
}


def named(script):
  return script.__name__.rpartition('.')[2]


def reported(script, lines):
  report = script.report if hasattr(script, 'report') else script.table
  return report(lines).strip()


@pytest.mark.parametrize('script', MEASURED, ids=named)
def test_the_page_shows_what_the_lines_say(script):
  text = reported(script, results.read(named(script)))
  assert tables.shown(results.HERE / 'README.md', named(script)) == text


@pytest.mark.parametrize('script', MEASURED, ids=named)
def test_a_case_measured_anew_replaces_its_lines(script, monkeypatch, tmp_path):
  name, (way, case) = named(script), MEASURED[script]
  lines = results.read(name)
  own = [x for x in lines if x['case'] == case]
  assert own and len(own) < len(lines)
  for file in 'README.md', f'{name}.jsonl':
    shutil.copy(results.HERE / file, tmp_path)
  monkeypatch.setattr(results, 'HERE', tmp_path)
  monkeypatch.setattr(results, 'device', lambda: own[0]['device'])
  monkeypatch.setattr(sys, 'argv', [name, f'--only={case}'])
  if script is growing:  # each size is a process of its own
    sizes = {f'--one={case}:{x["size"]}': json.dumps(x).encode() for x in own}
    ran = lambda argv, **kw: subprocess.CompletedProcess(
      argv, 0, sizes[argv[-1]]
    )
    monkeypatch.setattr(subprocess, 'run', ran)
  else:
    monkeypatch.setattr(script, way, lambda *args, **kwargs: own)

  (tmp_path / f'{name}.jsonl').write_text(
    ''.join(json.dumps(x) + '\n' for x in lines if x['case'] != case)
  )
  script.main()
  order = lambda x: json.dumps(x, sort_keys=True)
  assert sorted(results.read(name), key=order) == sorted(lines, key=order)
  script.main()  # anew: no line twice
  assert sorted(results.read(name), key=order) == sorted(lines, key=order)
  shown = tables.shown(tmp_path / 'README.md', name)
  assert shown == reported(script, results.read(name))
