"""A run on series of one's own, and back: what it samples is such a file."""

import numpy as np
import pytest

from gan_jax import sample, train
from gan_jax.data import loading
from gan_jax.storage import files
from tests.bad_input import RING

OPTIONS = (
  '--config.model.name=rcgan',
  '--config.model.g.hidden=(6,)',
  '--config.model.d.hidden=(6,)',
  '--config.penalties={}',
  '--config.latent.dim=3',
  '--config.data.name=table',
  '--config.data.length=12',
  '--config.data.columns=height,weight',
)


@pytest.mark.slow
def test_a_file_of_ones_own_trains_and_is_written(tmp_path):
  x = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
  rows = [f'{k},{a},{b}' for k, (a, b) in enumerate(x)]
  path, run, out = (tmp_path / name for name in ('a.csv', 'run', 'out.csv'))
  path.write_text('\n'.join(['day,height,weight', *rows]))
  train.main(
    ['train', RING, f'--workdir={run}', f'--config.data.path={path}', *OPTIONS]
  )
  scored = {r['metric'] for r in files.read_json(run / 'scores.json', list)}
  assert scored == {'discriminative', 'mmd', 'acf_distance', 'tail_distance'}
  sample.main(['sample', f'--workdir={run}', '--num=10', f'--out={out}'])
  made = loading.load('table', path=str(out))
  assert made.shape == (12, 2) and made.size == 8
  assert made.about['columns'] == ['height', 'weight']
