"""How long a run takes, as gan_jax.plan says before there are data."""

import numpy as np
import pytest

from gan_jax import recipes
from gan_jax.data import held_out, kinds
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import (
  costs,
  described,
  on_slice,
  stand_in,
  timed,
  timed_scores,
)
from gan_jax.storage import memory
from gan_jax.study import costs as study_costs
from gan_jax.types import UserError

SECONDS = timed.Times(start=1.0, step=2.0, report=3.0, score=4.0, save=5.0)


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch, tmp_path):
  """No data and no feature nets are anywhere."""
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'nowhere'))
  monkeypatch.setenv('GAN_JAX_CACHE', str(tmp_path / 'cache'))


def config_of(name, **keys):
  return recipes.load(name).to_dict() | keys


def test_what_is_due_again_and_again_is_multiplied():
  cadence = {'report_every': 4, 'eval_every': 0, 'save_every': 5}
  made = timed.parts(SECONDS, {'steps': 10, **cadence})
  assert made == {
    'start': 1, 'steps': 20, 'reports': 3 * 3, 'scores': 4, 'saves': 2 * 5,
  }  # fmt: skip


class Paced:
  """A run whose steps take as long as is due in them, on no clock."""

  def __init__(self, plain):
    self.plain, self.at, self.taken = plain, 0, 0

  def steps(self, n):
    seconds = 0.0
    for at in range(self.at, self.at + n):
      seconds += self.plain
      seconds += 6 * self.plain * (at % 4 == 0)  # a penalty
      seconds += 3 * self.plain * ((at + 1) % 6 == 0)  # a probe
    self.at, self.taken = self.at + n, self.taken + n
    return seconds

  def go_to(self, step):
    self.at = step


@pytest.mark.parametrize('plain, most', [(0.01, 500), (10.0, 9)])
def test_the_mean_step_has_its_share_of_what_is_due(plain, most):
  penalties = {'r1': {'gamma': 0.1, 'every': 4}}
  config = config_of('ring8:tiny', penalties=penalties, health_every=6)
  setup, paced = described.rehearsed(config), Paced(plain)
  made = timed._mean_step(paced, setup, 3)
  assert made == pytest.approx(plain * (1 + 6 / 4 + 3 / 6))
  assert paced.taken <= most  # of long steps, few


@pytest.mark.parametrize(
  'name', ['mnist', 'digits', 'grammar_chargan', 'tones_wavegan', 'sines_rcgan']
)
def test_examples_in_the_place_of_those_that_are_not_there(name):
  setup = described.rehearsed(config_of(name))
  known = on_slice.data_of(setup)['x']
  read = setup.dataset.read(np.array([0, 3, setup.dataset.size - 1]))
  assert read['x'].shape[1:] == known.shape[1:]
  assert read['x'].dtype == known.dtype
  seen = np.asarray(kinds.in_model_range(setup.dataset, read['x']))
  assert seen.shape[1:] == setup.dataset.shape and np.ptp(seen) > 0.5
  assert setup.health_every == config_of(name)['health_every']


def test_labels_of_those_are_classes_or_vectors():
  setup = described.rehearsed(config_of('mnist', conditional=True))
  label = setup.dataset.read(np.arange(512))['label']
  assert set(label) == set(range(10)) and label.dtype == np.int32
  config = config_of('sngan:celeba64', conditional=True)
  setup = described.rehearsed(config)
  label = setup.dataset.read(np.arange(8))['label']
  assert label.shape == (8, 40) and set(label.ravel()) == {0, 1}
  assert not setup.structure.resident


def test_what_can_be_read_is_itself():
  setup = described.rehearsed(config_of('ring8:tiny'))
  assert not stand_in.is_described(setup.dataset)
  assert len(setup.held_out()['x']) == held_out.MOST


def test_a_run_is_timed_and_nothing_stays(tmp_path):
  config = config_of('digits:tiny', eval_samples=1024, num_seeds=2)
  setup = described.rehearsed(config)
  made = timed.measure(setup, config, steps=1)
  assert all(seconds > 0 for seconds in made)
  assert made.start > made.step
  assert not list(tmp_path.rglob('*'))  # no classifier, no features


def test_scores_take_their_share_of_a_fews(monkeypatch):
  spent = iter([5.0, 2.0])
  monkeypatch.setattr(timed_scores, '_scoring', lambda *_: lambda: next(spent))
  config = config_of('ring8:tiny', eval_samples=5120, num_seeds=2)
  setup = described.rehearsed(config)
  made = timed_scores.measure(setup, config, setup.init().ema)
  assert made == (3.0, 2 * 2.0 * 5120 / timed_scores.FEW)


def test_scores_of_a_net_that_is_not_there_take_no_time(monkeypatch):
  monkeypatch.delenv('GAN_JAX_INCEPTION', raising=False)
  config = config_of('mnist:tiny', features='inception')
  setup = described.rehearsed(config)
  made = timed_scores.measure(setup, config, setup.init().ema)
  assert made == (0.0, 0.0)


def test_what_this_machine_cannot_hold_is_planned(monkeypatch):
  monkeypatch.setattr(memory, 'memory', lambda: 1000)
  config = config_of('ring8:tiny')
  with pytest.raises(UserError, match='this machine has'):
    setup_lib.build(config)
  setup = described.rehearsed(config)
  step = costs.Step(1.0, 1.0, 2000, ({}, {}))
  assert 'GiB' in costs.too_much(setup, step)


def test_a_study_compiles_a_program_once():
  asked = []

  def measure(setup, config, *, steps):
    asked.append(config['seed'])
    return SECONDS

  once = study_costs._once(measure, again=lambda t: t._replace(start=0.0))
  for seed in (0, 1):
    config = config_of('ring8:tiny', seed=seed)
    made = once(described.rehearsed(config), config, steps=1)
    assert made.start == 1 - seed
  assert asked == [0]
  other = config_of('ring8:tiny', num_seeds=2)
  assert once(described.rehearsed(other), other, steps=1) == SECONDS


def test_labels_count_as_data():
  config = config_of('mnist:tiny')
  setup = described.setup(config)
  step = costs.Step(1.0, 1.0, 1, ({}, {}))
  size = setup.dataset.size
  assert costs.by_part(setup, step)['data'] == size * (784 + 4)
