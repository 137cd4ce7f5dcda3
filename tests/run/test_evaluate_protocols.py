"""A run's scores by a protocol, and those of its samples as files."""

import json

import numpy as np
import pytest

from gan_jax import evaluate, sample
from gan_jax.metrics import fid, kid, prdc, protocols
from gan_jax.run import evaluation, scoring
from tests.run import test_evaluate
from tests.run.test_evaluate import NUM, flat, kept, main

digits = test_evaluate.digits
real = test_evaluate.real
run = test_evaluate.run
trained = test_evaluate.trained


@pytest.fixture
def small(monkeypatch):
  """A protocol of few samples."""
  way = protocols.Protocol('classifier', '', 'train', 100)
  monkeypatch.setitem(protocols.PROTOCOLS, 'small', way)
  return 'small'


def test_a_protocol_fixes_the_way(run, small):
  found = main(run, '--protocol=small', '--draws=2')[-2:]
  for record in found:
    assert record['protocol'] == small
    assert (record['n_fake'], record['draws']) == (100, 2)


def test_the_runs_own_protocol_stays_until_another_way_is_asked_for(run, small):
  config = json.loads((run / 'config.json').read_text())
  (run / 'config.json').write_text(json.dumps(config | {'protocol': small}))
  own = main(run, '--metrics=fid')[-1]
  assert own['protocol'] == small and own['n_fake'] == 100
  assert main(run, '--metrics=fid', '--draws=2')[-1]['protocol'] == small
  for flag in ('--num=110', '--features=pixels', '--split=train'):
    assert main(run, '--metrics=fid', flag)[-1]['protocol'] == ''


def test_weights_belong_to_no_protocol_and_resizing_to_its_net():
  usual = scoring.named_protocol('clean-10k-test')
  chosen = lambda **given: evaluation.chosen_protocol(usual, given)
  assert chosen(weights='w.npz') == usual._replace(weights='w.npz')
  pixels = usual._replace(space='pixels', resize='', name='')
  assert chosen(space='pixels', resize='') == pixels
  assert chosen(resize='tf') == usual._replace(resize='tf', name='')


def test_samples_of_the_command_get_the_score_of_their_arrays(
  run, real, tmp_path
):
  file, out = tmp_path / 'x.npz', tmp_path / 'scores.json'
  sample.main(['', f'--workdir={run}', f'--out={file}', f'--num={NUM}'])
  x = np.load(file)['samples']
  argv = ['', f'--samples={file}', '--data=digits', f'--out={out}']
  evaluate.main([*argv, '--features=pixels', '--metrics=fid,kid,prdc'])
  evaluate.main(argv)
  found = json.loads(out.read_text())
  by_pixels = {r['metric']: r['value'] for r in found[:6]}
  expected = prdc.prdc(flat(real), flat(x)) | {
    'fid': fid.frechet_distance(flat(real), flat(x)),
    'kid': kid.kernel_distance(flat(real), flat(x)),
  }
  assert set(by_pixels) == set(expected)
  for name, value in expected.items():
    assert by_pixels[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
  # By the run's own net, against the same real ones, though of another draw.
  ours, theirs = kept(run)[0], found[6]
  same = ('metric', 'features', 'features_hash', 'reference', 'reference_hash')
  same += ('n_real', 'n_fake')
  assert {k: ours[k] for k in same} == {k: theirs[k] for k in same}
  assert ours['value'] != theirs['value']
  assert (theirs['source'], theirs['step']) == (str(file), None)
