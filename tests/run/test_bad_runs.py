"""Workdirs with damaged files: resumed, evaluated, sampled, compared."""

import json
import shutil

import pytest

from gan_jax import ablate, evaluate, sample, train
from gan_jax.run.config import keys
from gan_jax.run.workdir import contents
from gan_jax.storage import files
from gan_jax.study import results, worker
from gan_jax.types import UserError
from tests.bad_input import RING, ROOT, finished_run, refused
from tests.study.test_study_plan import write

DEEP = '[' * 100_000
# What is no JSON, or JSON of another kind.
DAMAGED = {
  'empty': '',
  'cut': '{"steps": ',
  'list': '[]',
  'null': 'null',
  'text': '"x"',
  'deep': DEEP,
  'deep groups': '{"a":' * 100_000,
  'latin': '\xff\xfe',
  'zeros': '\0\0\0',
}


@pytest.fixture
def run(tmp_path, monkeypatch):
  """A finished tiny run in a place of its own."""
  monkeypatch.chdir(tmp_path)
  shutil.copytree(finished_run(), tmp_path / 'run')
  return tmp_path / 'run'


def damage(path, content):
  path.write_bytes(content.encode('latin1'))


def alter(path, *keys, to):
  """Changes a value within a JSON document; None takes it away."""
  document = json.loads(path.read_text())
  inner = document
  for key in keys[:-1]:
    inner = inner[key]
  if to is None:
    del inner[keys[-1]]
  else:
    inner[keys[-1]] = to
  path.write_text(json.dumps(document))


COMMANDS = {
  'sample': (sample, ('--workdir={0}/run', '--out={0}/x.npz')),
  'evaluate': (evaluate, ('--workdir={0}/run',)),
  'train': (train, (RING, '--workdir={0}/run')),
}


def started(name, root):
  """A command's main, and its arguments."""
  module, argv = COMMANDS[name]
  return module.main, [flag.replace('{0}', str(root)) for flag in argv]


@pytest.mark.parametrize('name', DAMAGED)
@pytest.mark.parametrize('command', COMMANDS)
def test_refused_config_json(command, name, run, capfd):
  damage(run / 'config.json', DAMAGED[name])
  refused(capfd, *started(command, run.parent), 'config.json', root=run.parent)


CHANGES = [
  (('steps',), 'many', "steps='many'"),
  (('steps',), None, 'lacks steps'),
  (('steps',), [8], 'steps=[8]'),
  (('seed',), -1, 'seed=-1'),
  (('batch_size',), 0, 'batch_size=0'),
  (('num_seeds',), 10**9, 'GB are needed'),
  (('num_seeds',), 2.0, 'num_seeds=2.0'),
  (('optim', 'g', 'learning_rate'), float('nan'), 'optim.g.learning_rate=nan'),
  (('optim', 'g', 'learning_rate'), float('inf'), 'optim.g.learning_rate=inf'),
  (('optim', 'g', 'b1'), 2.0, 'optim.g.b1=2.0'),
  (('optim', 'g'), None, 'optim.g'),
  (('model', 'name'), '../../evil', 'model.name'),
  (('model', 'name'), 'no.such.module', 'model.name'),
  (('loss', 'name'), None, 'loss'),
  (('loss',), 'hinge', "loss='hinge'"),
  (('data',), 'ring8', "data='ring8'"),
  (('data',), None, 'lacks data'),
  (('penalties',), {'r9': {}}, "penalties='r9'"),
  (('metrics',), 'modes', "metrics='modes'"),
  (('metrics',), ['nope'], 'nope'),
  (('extra',), 3, 'config.extra'),
]  # fmt: skip


@pytest.mark.parametrize(
  'keys, to, word', CHANGES, ids=[f'{".".join(k)}={t}' for k, t, _ in CHANGES]
)
def test_refused_change_of_config_json(keys, to, word, run, capfd):
  alter(run / 'config.json', *keys, to=to)
  refused(capfd, *started('sample', run.parent), word, root=run.parent)


# Score records

RECORDS = {
  'a value that is a text': {'metric': 'modes', 'value': '8'},
  'a value that is true': {'metric': 'modes', 'value': True},
  'a value in a list': {'metric': 'modes', 'value': [1]},
  'a metric that is a number': {'metric': 3, 'value': 1.0},
  'a metric that is a list': {'metric': ['modes'], 'value': 1.0},
  'a value without end': {'metric': 'modes', 'value': 10**400},
  'a step that is a text': {'metric': 'modes', 'value': 1.0, 'step': 'last'},
  'a step that is half': {'metric': 'modes', 'value': 1.0, 'step': 0.5},
  'a seed that is a list': {'metric': 'modes', 'value': 1.0, 'seed': [0]},
  'an interval of three': {
    'metric': 'modes',
    'value': 1,
    'interval': [1, 2, 3],
  },
  'an interval of texts': {'metric': 'm', 'value': 1.0, 'interval': ['a', 'b']},
  'an interval that is one': {'metric': 'modes', 'value': 1.0, 'interval': 2.0},
  'samples that are a text': {'metric': 'modes', 'value': 1.0, 'n_fake': '9'},
}
SCORES = {
  **{name: json.dumps([one]) for name, one in RECORDS.items()},
  'NaN': '[{"metric": "modes", "value": NaN}]',
  'infinite': '[{"metric": "modes", "value": 1e999}]',
  'deep': DEEP,
  'latin': '\xff',
  'zeros': '\0\0',
}
USES = {
  'evaluate': (evaluate, ('--workdir={0}/run',)),
  'train': (train, (RING, '--workdir={0}/run')),
  'compare': (evaluate, ('--compare={0}/run,{0}/run',)),
  'out': (
    evaluate,
    ('--samples={0}/x.npz', '--data=ring8', '--out={0}/run/scores.json'),
  ),
  'ablate': (
    ablate,
    ('--compare={0}/run,{0}/run', '--workdir={0}/compared'),
  ),
}


@pytest.mark.parametrize('name', SCORES)
@pytest.mark.parametrize('use', USES)
def test_refused_scores_json(use, name, run, capfd):
  damage(run / 'scores.json', SCORES[name])
  module, argv = USES[use]
  argv = [flag.replace('{0}', str(run.parent)) for flag in argv]
  refused(capfd, module.main, argv, 'scores.json', root=run.parent)


# Studies

ROW = {
  'cell': 'a', 'overrides': {}, 'seed': 0, 'status': 'finished', 'reason': '',
  'steps': 8, 'scores': {'modes': 1.0}, 'run': 'x', 'folder': 'a-1',
  'health': {'verdict': 'healthy', 'reason': ''},
}  # fmt: skip
ROWS = {
  'empty': '',
  'no JSON': 'hello\n',
  'deep': DEEP,
  'a list': '[1]\n',
  'no cell': json.dumps({k: v for k, v in ROW.items() if k != 'cell'}),
  'no scores': json.dumps(ROW | {'scores': None}),
  'scores that are texts': json.dumps(ROW | {'scores': {'modes': 'x'}}),
  'a seed that is a text': json.dumps(ROW | {'seed': 'x'}),
  'a cell that is a list': json.dumps(ROW | {'cell': [1]}),
  'a health that is a text': json.dumps(ROW | {'health': 'good'}),
  'no verdict': json.dumps(ROW | {'health': {}}),
  'NaN': json.dumps(ROW | {'scores': {'modes': float('nan')}}),
}


@pytest.mark.parametrize('name', ROWS)
def test_refused_results_of_a_study(name, run, capfd):
  study = run.parent / 'study'
  study.mkdir()
  files.write_json(study / 'study.json', {'metrics': ['modes']})
  damage(study / 'results.jsonl', ROWS[name])
  argv = ['--compare', study, run, f'--workdir={run.parent}/compared']
  refused(
    capfd, ablate.main, argv, 'neither a run nor a study', root=run.parent
  )
  assert results.read(study / 'results.jsonl') == []


@pytest.mark.parametrize(
  'told', [None, [], {'metrics': 3}, {'metrics': [3]}, {'metrics': None}]
)
def test_refused_name_of_a_study(told, run, capfd):
  study = run.parent / 'study'
  study.mkdir()
  (study / 'results.jsonl').write_text(json.dumps(ROW) + '\n')
  (study / 'study.json').write_text(json.dumps(told))
  argv = ['--compare', study, run, f'--workdir={run.parent}/compared']
  refused(capfd, ablate.main, argv, 'study.json', root=run.parent)


PLANS = {
  **DAMAGED,
  'no jobs': '{}',
  'jobs that are a number': '{"jobs": 3}',
  'jobs that are a text': '{"jobs": "abc"}',
  'jobs that are groups': '{"jobs": {"a": 1}}',
  'jobs that are numbers': '{"jobs": [1, 2]}',
  'a job elsewhere': '{"jobs": ["../../evil"]}',
  'a job at a place': '{"jobs": ["/etc/passwd"]}',
  'a job without a name': '{"jobs": [""]}',
}


@pytest.mark.parametrize('name', PLANS)
def test_refused_plan_of_a_study(name, tmp_path, capfd, monkeypatch):
  monkeypatch.chdir(tmp_path)
  study = write(tmp_path / 'mine', base=f'{ROOT}/configs/ring8.py:tiny')
  (tmp_path / 'w').mkdir()
  damage(tmp_path / 'w' / 'plan.json', PLANS[name])
  argv = [f'--study={study}', f'--workdir={tmp_path}/w']
  refused(capfd, worker.main, argv, 'no plan of a study', root=tmp_path)


def test_only_what_does_not_change_the_training_may_change(run):
  config = json.loads((run / 'config.json').read_text())
  training = keys.that_decide(keys.TRAINING)
  for key in keys.TABLE.keys() - training:
    contents.check_same_training(run, config | {key: 'another'})
  for key in training:
    with pytest.raises(UserError, match=key):
      contents.check_same_training(run, config | {key: 'another'})
