"""Values of a config that are wrong, by a flag or in a file: refused."""

import pytest

from gan_jax import train
from tests.bad_input import DIGITS, RING, refused


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
  """In an empty folder: what a command leaves there is seen."""
  monkeypatch.chdir(tmp_path)
  return tmp_path


# Numbers of a config that are none, wherever they lie

FLAGS = [
  ('batch_size=nan', 'batch_size'),
  ('batch_size=True', 'batch_size'),
  ('batch_size=None', 'batch_size'),
  ('batch_size=', 'batch_size'),
  ('batch_size=1e999', 'batch_size'),
  ('batch_size=[8]', 'batch_size'),
  ('batch_size=99999999999999999999', 'batch_size'),
  ('steps=-1', 'steps=-1'),
  ('steps=1e3', 'steps'),
  ('steps=99999999999', 'steps'),
  ('seed=1.5', 'seed'),
  ('seed=False', 'seed'),
  ('seed=4294967296', 'seed'),
  ('seed=99999999999999999999', 'seed'),
  ('num_seeds=-1', 'num_seeds=-1'),
  ('num_seeds=1000000000', 'num_seeds=1000000000'),
  ('num_seeds=99999999999999999999', 'num_seeds'),
  ('d_steps=0', 'd_steps=0'),
  ('d_steps=1000000000', 'd_steps'),
  ('eval_samples=0', 'eval_samples=0'),
  ('health_every=-1', 'health_every=-1'),
  ('max_rollbacks=-1', 'max_rollbacks=-1'),
  ('on_divergence=pray', 'on_divergence'),
  ('save_patience_minutes=-1', 'save_patience_minutes'),
  ('save_patience_minutes=1e999', 'save_patience_minutes=inf'),
  ('deterministic=perhaps', 'deterministic'),
  ('optim.g.learning_rate=nan', 'optim.g.learning_rate'),
  ('optim.g.learning_rate=1e999', 'optim.g.learning_rate=inf'),
  ('optim.d.learning_rate=-1e999', 'optim.d.learning_rate=-inf'),
  ('optim.d.learning_rate=-0.001', 'optim.d.learning_rate=-0.001'),
  ('optim.g.learning_rate=True', 'optim.g.learning_rate'),
  ('optim.g.learning_rate=None', 'optim.g.learning_rate'),
  ('optim.g.b1=1.0', 'optim.g.b1=1'),
  ('optim.g.b1=-0.5', 'optim.g.b1=-0.5'),
  ('optim.g.b1=half', 'optim.g.b1'),
  ('optim.d.b2=1.5', 'optim.d.b2=1.5'),
  ('optim.d.b2=1e999', 'optim.d.b2=inf'),
  ('optim.d.b2=much', 'optim.d'),
  ('optim.d.eps=-1e-8', 'optim.d.eps'),
  ('optim.g.clip_norm=1e999', 'optim.g.clip_norm=inf'),
  ('optim.g=None', 'optim.g'),
  ("optim.g={'name': 'adam'}", 'optim.g'),
  ('optim.g.schedule=fast', 'optim.g.schedule'),
  ('optim.g.schedule.decay_steps=3', 'optim.g.schedule'),
  ('ema.halflife_kimg=1e999', 'ema.halflife_kimg=inf'),
  ('ema.rampup=-1.0', 'rampup=-1'),
  ('ema.rampup=None', 'rampup'),
  ('penalties.r1.gamma=1e999', 'penalties.r1.gamma=inf'),
  ('penalties.r1.gamma=None', 'penalties.r1.gamma'),
  ('penalties.r1.gamma=True', 'penalties.r1.gamma'),
  ('penalties=r1', 'penalties'),
  ('penalties.a.b.c=1', "'a.b'"),
  ("penalties={'r1': 1e999}", 'penalties.r1=inf'),
  ('loss.smoothing=-1e999', 'loss.smoothing=-inf'),
  ('loss.smoothing=None', 'loss'),
  ('loss.name=..', 'loss.name'),
  ('loss.name=os.path', 'loss'),
  ('loss.name=gan_jax', 'loss.name'),
  ('loss.name=nowhere.at.all', 'loss.name'),
  ("loss={'name': 3}", 'loss'),
  ('latent.dim=-2', 'latent.dim=-2'),
  ('latent.dim=1.5', 'latent.dim'),
  ('latent.dim=1000000000000', 'GB'),
  ('model.g.hidden=(8, -8)', 'model'),
  ('model.g.hidden=(8, 1e999)', 'model.g.hidden'),
  ('model.d.hidden=(1000000000000,)', 'GB'),
  ('model.g.activation=None', 'activation'),
  ('model.name=', 'model.name'),
  ('model.name=gan_jax.models', 'model'),
  ('data.std=1e999', 'data.std=inf'),
  ('data.std=-1.0', 'data.std'),
  ('data.std=thin', 'data'),
  ('data.size=0', 'data.size=0'),
  ('data.size=1.5', 'data.size'),
  ('data.size=10000000000000', 'data.size'),
  ('data.radius=1e999', 'data.radius=inf'),
  ('data.data_seed=-1', 'data_seed=-1'),
  ('data.memory_mb=1e999', 'data.memory_mb=inf'),
  ('data.memory_mb=True', 'data.memory_mb'),
  ('data.held_out=1.5', 'data.held_out=1.5'),
  ('data.held_out=1e999', 'data.held_out=inf'),
  ('data.held_out=all', 'data.held_out'),
  ('data.flip=maybe', 'data.flip'),
  ('data=ring8', 'data'),
  ('data={}', 'data.name'),
  ('data.name=', 'data.name'),
  ('data.name=../../etc', 'data.name'),
  ('data.name=os.path', 'data.name'),
  ("stop_when={'metric': 'modes', 'above': 1e999}", 'stop_when.above=inf'),
  ("stop_when={'metric': 3, 'above': 1}", 'stop_when'),
  ("stop_when={'metric': 'modes', 'above': True}", 'stop_when.above'),
  ('stop_when=never', 'stop_when'),
  ('metrics=(3,)', 'metrics'),
  ('protocol=none', 'protocol'),
  ('features=3', 'features'),
  ('best_metric=worst', 'best_metric'),
  ('parallel=None', 'parallel'),
  ('dtype=float16', 'dtype'),
  ('conditional=2', 'conditional'),
  ('=3', 'config.=3'),
  ('.=3', 'config..'),
  ('loss..name=3', 'loss'),
]


@pytest.mark.parametrize('flag, word', FLAGS, ids=[f for f, _ in FLAGS])
def test_refused_override(flag, word, here, capfd):
  argv = [RING, f'--workdir={here}/run', f'--config.{flag}']
  refused(capfd, train.main, argv, word, root=here)


IMAGES = [
  ('data.image_size=-8', 'data.image_size=-8'),
  ('data.image_size=8.5', 'data.image_size'),
  ('data.image_size=1000000', 'data.image_size=1000000'),
  ('data.channels=2', 'data.channels=2'),
  ('model.g.widths=(0, 4)', 'model'),
  ('model.g.widths=wide', 'widths'),
]


@pytest.mark.parametrize('flag, word', IMAGES, ids=[f for f, _ in IMAGES])
def test_refused_override_of_images(flag, word, here, capfd):
  argv = [DIGITS, f'--workdir={here}/run', f'--config.{flag}']
  refused(capfd, train.main, argv, word, root=here)


# Values of another type, and numbers that are none, in a file

CHANGES = [
  ('batch_size = None', 'batch_size=None'),
  ('batch_size = "64"', "batch_size='64'"),
  ('batch_size = True', 'batch_size=True'),
  ('batch_size = 8.0', 'batch_size=8.0'),
  ('batch_size = float("nan")', 'batch_size=nan'),
  ('steps = None', 'steps=None'),
  ('steps = float("inf")', 'steps=inf'),
  ('seed = "zero"', "seed='zero'"),
  ('seed = True', 'seed=True'),
  ('num_seeds = (1, 2)', 'num_seeds=(1, 2)'),
  ('num_seeds = False', 'num_seeds=False'),
  ('d_steps = 1.5', 'd_steps=1.5'),
  ('report_every = None', 'report_every=None'),
  ('save_every = "often"', 'save_every'),
  ('eval_every = 2.0', 'eval_every=2.0'),
  ('eval_samples = "many"', 'eval_samples'),
  ('max_rollbacks = 1.5', 'max_rollbacks=1.5'),
  ('save_patience_minutes = float("nan")', 'save_patience_minutes=nan'),
  ('save_patience_minutes = "long"', 'save_patience_minutes'),
  ('deterministic = "yes"', 'deterministic'),
  ('conditional = 1', 'conditional=1'),
  ('conditional = None', 'conditional=None'),
  ('fresh_real = "no"', 'fresh_real'),
  ('dynamics = None', 'dynamics'),
  ('dynamics = ["alternating"]', 'dynamics'),
  ('dtype = 3', 'dtype=3'),
  ('dtype = {}', 'dtype'),
  ('parallel = 3', 'parallel=3'),
  ('data = None', 'data=None'),
  ('data = "ring8"', "data='ring8'"),
  ('data = {"name": None}', 'data.name'),
  ('data = {"name": ["ring8"]}', 'data.name'),
  ('data = {"name": "ring8", "std": float("nan")}', 'data.std=nan'),
  ('data = {"name": "ring8", "std": 1 + 1j}', 'data.std'),
  ('data = {"name": "ring8", 3: 4}', 'TypeError'),
  ('data = {3: 4}', 'data: keys must be strings, not 3'),
  ('model = None', 'model=None'),
  ('model = {"name": 3, "g": {}, "d": {}}', 'model.name'),
  ('model = {"name": "mlp", "g": None, "d": {}}', 'model.g'),
  ('model = {"name": "mlp", "g": {"hidden": 8}, "d": {}}', 'model'),
  ('model = {"name": "mlp", "g": {"hidden": ("8",)}, "d": {}}', 'model'),
  ('loss = None', 'loss=None'),
  ('loss = "hinge"', "loss='hinge'"),
  ('loss = {"name": None}', 'loss'),
  ('loss = {"name": "lsgan", "a": float("nan")}', 'loss.a=nan'),
  ('loss = {"name": "lsgan", "a": [float("nan")]}', 'loss.a'),
  ('loss = {"name": "lsgan", "a": "0"}', 'loss'),
  ('penalties = None', 'penalties=None'),
  ('penalties = {"r1": None}', 'penalties.r1'),
  ('penalties = {"r1": {"gamma": float("nan")}}', 'penalties.r1.gamma=nan'),
  ('penalties = ("r1",)', 'penalties'),
  ('latent = {"name": "normal", "dim": None}', 'latent'),
  ('latent = {"name": "normal", "dim": True}', 'latent.dim'),
  ('latent = None', 'latent'),
  ('ema = {"halflife_kimg": "long"}', 'ema'),
  ('ema = {"halflife_kimg": float("nan")}', 'ema.halflife_kimg=nan'),
  ('ema = 3', 'ema=3'),
  ('optim = None', 'optim=None'),
  ('optim.g = "adam"', 'optim.g'),
  ('optim.g.learning_rate = float("nan")', 'optim.g.learning_rate=nan'),
  ('optim.g.learning_rate = "high"', 'optim.g.learning_rate'),
  ('optim.g.name = None', 'optim.g.name'),
  ('optim.g.schedule = {"name": 3}', 'optim.g'),
  ('stop_when = None', 'stop_when=None'),
  ('stop_when = {"metric": "modes", "above": float("nan")}', 'stop_when.above'),
  ('metrics = None', 'metrics=None'),
  ('metrics = 3', 'metrics=3'),
  ('metrics = ("modes", None)', 'metrics'),
  ('features = None', 'features=None'),
  ('protocol = None', 'protocol=None'),
  ('best_metric = 3', 'best_metric=3'),
  ('data.std = numpy.float32("nan")', 'data.std=nan'),
  ('data.std = numpy.zeros(3)', 'data.std'),
  ('data.read = print', 'data.read'),
]
FILE = """
import numpy

from configs import ring8


def get_config(arg=''):
  config = ring8.get_config('tiny')
  with config.ignore_type():
    config.{}
  return config
"""


@pytest.mark.parametrize('change, word', CHANGES, ids=[c for c, _ in CHANGES])
def test_refused_value_in_a_file(change, word, here, capfd):
  (here / 'file.py').write_text(FILE.format(change))
  argv = [f'--config={here}/file.py', f'--workdir={here}/run']
  refused(capfd, train.main, argv, word, root=here)
