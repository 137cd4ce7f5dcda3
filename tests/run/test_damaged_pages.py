"""What is only shown is left out where it is damaged."""

import json
import shutil

import pytest

from gan_jax import evaluate, train
from gan_jax.report import page, writers
from gan_jax.storage import files
from tests.bad_input import RING, finished_run
from tests.run import test_bad_runs
from tests.run.test_bad_runs import DAMAGED, DEEP, SCORES, damage

run = test_bad_runs.run


@pytest.fixture
def shown(tmp_path):
  """What a page is made of."""
  leave = shutil.ignore_patterns('checkpoints', 'events*')
  shutil.copytree(finished_run(), tmp_path / 'run', ignore=leave)
  return tmp_path / 'run'


LINES = {
  'empty': '',
  'no JSON': 'hello\n',
  'deep': DEEP + '\n',
  'lists': '[1, 2]\n' * 3,
  'zeros': '\0' * 100,
  'latin': '{"step": 4, "d_loss": 1.0, "\xff": 2}\n',
  'no step': '{"d_loss": 1.0}\n',
  'a step that is a text': '{"step": "4", "d_loss": 1.0}\n',
  'a step that is true': '{"step": true, "d_loss": 1.0}\n',
  'a step without end': '{"step": 1' + '0' * 400 + '}\n',
  'a step below zero': '{"step": -4, "d_loss": 1.0}\n',
  'texts': '{"step": 4, "d_loss": "low", "g_loss": "high"}\n',
  'groups': '{"step": 4, "d_loss": {"a": 1}, "g_loss": [[1]]}\n',
  'numbers without end': '{"step": 4, "d_loss": 1' + '0' * 400 + '}\n',
  'NaN': '{"step": 4, "d_loss": NaN, "g_loss": Infinity, "fid": -Infinity}\n',
  'seeds that differ': '{"step": 4, "d_loss": [1, 2], "g_loss": [1]}\n',
  'seeds that change': '{"step": 4, "d_loss": [1, 2], "g_loss": [1, 2]}\n'
  '{"step": 8, "d_loss": 3, "g_loss": [1, 2, 3]}\n',
  'a name': '{"step": 4, "<script>x=1</script>": 1.0, "d_loss": 1}\n',
}


def check_page(workdir):
  document = page.write_page(workdir).read_text('utf-8')
  assert document.endswith('</html>\n') and '<script>x=1' not in document


@pytest.mark.parametrize('name', LINES)
def test_damaged_metrics_leave_a_page(name, shown):
  damage(shown / 'metrics.jsonl', LINES[name])
  check_page(shown)
  writers.JsonLines(shown / 'metrics.jsonl', resume_step=4).close()
  for row in files.read_rows(shown / 'metrics.jsonl'):
    assert 0 <= row['step'] <= 4


@pytest.mark.parametrize('content', [*DAMAGED.values(), *SCORES.values()])
def test_damaged_documents_leave_a_page(content, shown):
  for file in ('config.json', 'manifest.json', 'scores.json'):
    kept = (shown / file).read_bytes()
    damage(shown / file, content)
    check_page(shown)
    (shown / file).write_bytes(kept)


@pytest.mark.parametrize('name', ['step_00000008.png', 'real.png'])
def test_a_damaged_picture_leaves_a_page(name, shown):
  damage(shown / 'samples' / name, 'no picture')
  check_page(shown)


def test_a_damaged_run_goes_on(run, capfd):
  """Neither what is only shown nor what is only told stops a training."""
  damage(run / 'metrics.jsonl', LINES['deep'] + LINES['texts'])
  damage(run / 'manifest.json', DAMAGED['cut'])
  damage(run / 'samples' / 'step_00000008.png', '')
  argv = [RING, f'--workdir={run}', '--config.steps=12']
  train.main(['train', *argv])
  evaluate.main(['evaluate', f'--workdir={run}', '--metrics=modes'])
  assert json.loads((run / 'scores.json').read_text())[-1]['step'] == 12
