"""A run of an earlier version is refused in one line that names the version."""

import json
import shutil

import numpy as np
import pytest

from gan_jax import evaluate, sample, train
from gan_jax.run import command
from gan_jax.run.workdir import record
from gan_jax.storage import format
from gan_jax.types import UserError
from tests.bad_input import RING, tree
from tests.run.test_commands import complaint


def note(step, **changes):
  """A note as gan_jax 0.1.0 wrote it."""
  kind = {'dtype': 'float32', 'shape': [1, 2], 'crc': 7}
  names = ('.step', '.g/.params/sample/bias', '.d/.params/logits/bias')
  return {
    'format': 1,
    'step': step,
    'meta': {'records': [], 'window': None},
    'metric': 'modes',
    'score': 3.0,
    'leaves': dict.fromkeys(names, kind),
    **changes,
  }


def write_step(workdir, step, **changes):
  folder = workdir / 'checkpoints' / str(step)
  (folder / 'meta').mkdir(parents=True)
  (folder / 'state').mkdir()
  content = note(step, **changes)
  document = {'note': content, 'crc': format._seal(content)}
  (folder / 'meta' / 'metadata').write_text(json.dumps(document))
  (folder / 'commit_success.txt').touch()


@pytest.fixture
def workdir(tmp_path):
  """A run of gan_jax 0.1.0, as far as it is looked at."""
  folder = tmp_path / 'run'
  folder.mkdir()
  config = command.load_config(RING.removeprefix('--config='))
  config['dynamics'] = 'alternating'
  (folder / 'config.json').write_text(json.dumps(config))
  (folder / 'manifest.json').write_text('{"gan_jax": "0.1.0", "starts": []}')
  for step in (10, 20):
    write_step(folder, step)
  return folder


COMMANDS = {
  'train': (train.main, RING),
  'replay': (train.main, '--replay'),
  'replay_config': (train.main, '--replay', RING),
  'sample': (sample.main, '--out={}/a.png'),
  'evaluate': (evaluate.main,),
}


@pytest.mark.parametrize('name', COMMANDS)
def test_what_needs_its_checkpoint_is_refused(name, workdir, capfd):
  main, *flags = COMMANDS[name]
  before = tree(workdir.parent)
  flags = [flag.format(workdir.parent) for flag in flags]
  line = complaint(capfd, main, f'--workdir={workdir}', *flags)
  assert f'--workdir={workdir} was trained by gan_jax 0.1.0, whose' in line
  assert 'evaluate --samples=' in line
  assert tree(workdir.parent) == before


def test_its_samples_can_be_evaluated(workdir, tmp_path, capfd):
  samples = workdir / 'samples.npz'
  x = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
  np.savez(samples, samples=x)
  out = tmp_path / 'scores.json'
  argv = [f'--samples={samples}', '--data=ring8', '--metrics=modes']
  evaluate.main(['', *argv, f'--out={out}'])
  (score,) = json.loads(out.read_text())
  assert score['metric'] == 'modes' and score['n_fake'] == 64


def test_without_a_checkpoint_its_manifest_decides(workdir):
  shutil.rmtree(workdir / 'checkpoints')
  with pytest.raises(UserError, match=r'trained by gan_jax 0\.1\.0'):
    record.check_layout(workdir)
  for version in ('0.2.0', '1.0', '0.10.1', None, 3, ''):
    (workdir / 'manifest.json').write_text(json.dumps({'gan_jax': version}))
    record.check_layout(workdir)
  (workdir / 'manifest.json').unlink()
  record.check_layout(workdir)


def test_a_lost_manifest_does_not_hide_it(workdir):
  (workdir / 'manifest.json').unlink()
  with pytest.raises(UserError, match='of an unknown version') as error:
    record.check_layout(workdir)
  assert '\n' not in str(error.value)


def test_what_cannot_be_read_does_not_decide(workdir):
  """Restoring says which steps are damaged, and how."""
  shutil.rmtree(workdir / 'checkpoints')
  write_step(workdir, 30, format=format.FORMAT)
  write_step(workdir, 40)
  (workdir / 'checkpoints' / '40' / 'meta' / 'metadata').write_text('{')
  record.check_layout(workdir)
  write_step(workdir, 50, format='two')
  record.check_layout(workdir)
