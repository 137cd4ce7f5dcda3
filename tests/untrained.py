"""A model as a run's `Trained` holds it, but as it is at step 0."""

from gan_jax.run import setup
from gan_jax.run.trained import Trained


def untrained(config: dict) -> Trained:
  """Of an unconditional config with all keys; no run is read."""
  run = Trained.__new__(Trained)
  run.config, run.class_names, run.attributes = config, (), ()
  first, count = config['seed'], config['num_seeds']
  run.seeds = tuple(range(first, first + count))
  run._setup = setup.build(config)
  run._state = run._setup.init()
  run.shape = tuple(run._setup.dataset.shape)
  return run
