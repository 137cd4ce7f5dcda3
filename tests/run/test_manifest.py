"""What a run was made with is written down, compared, and never lost."""

import json
import pathlib
import re
import shutil

import jax
import pytest

from gan_jax import manifest, sample, train
from gan_jax.run import command
from gan_jax.run import setup as setup_lib
from gan_jax.run.config import keys, recipe
from gan_jax.run.workdir import contents as contents_lib
from gan_jax.run.workdir import differences, lock, provenance
from gan_jax.run.workdir import record as record_lib
from gan_jax.storage import files
from gan_jax.types import UserError
from tests.run.test_commands import RING, complaint, contents, run  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures('clone')
# As manifests were before they told all that they tell now.
EARLIER = (
  'command', 'gan_jax', 'git_revision', 'git_changed', 'python', 'packages',
  'platform', 'backend', 'device_kind', 'num_devices', 'num_processes',
  'xla_flags', 'data_fingerprint', 'layout',
)  # fmt: skip


@pytest.fixture
def clone(monkeypatch):
  monkeypatch.chdir(ROOT)


@pytest.fixture
def copy(run, tmp_path):  # noqa: F811
  """A finished tiny run of one's own."""
  return shutil.copytree(run, tmp_path / 'run')


def change(workdir, **told):
  """Rewrites what a manifest says."""
  found = record_lib.read(workdir)
  files.write_json(workdir / 'manifest.json', found | told)
  return found


def go_on(workdir, capfd, *flags):
  """Trains some steps more; returns what is said first."""
  capfd.readouterr()
  train.main(['', RING, f'--workdir={workdir}', '--config.steps=10', *flags])
  return capfd.readouterr().out.splitlines()[0]


# What is written.


def test_a_run_tells_all_that_decides_its_numbers(run):  # noqa: F811
  told = record_lib.read(run)
  assert {
    'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'scipy',
    'ml-collections', 'tensorflow-datasets', 'pillow',
  } <= set(told['packages'])  # fmt: skip
  assert told['packages']['jax'] == jax.__version__
  assert not set(told['packages']) & {'matplotlib', 'pytest', 'rich'}
  assert told['num_devices'] == 8 and told['num_processes'] == 1
  assert told['jax_config']['jax_enable_x64'] is False
  assert told['jax_config']['jax_threefry_partitionable'] is True
  assert re.fullmatch('[0-9a-f]{64}', told['source'])
  assert re.fullmatch('[0-9a-f]{64}', told['data_fingerprint'])
  assert told['cpu']['model']
  assert told['split']['batch'] == 8 and told['layout']['loop'] is True
  assert told['step'] == 0 and len(told['starts']) == 1


def test_a_clone_tells_its_revision_and_what_was_changed():
  told = provenance.git_revision()
  assert re.fullmatch('[0-9a-f]{40}', told['git_revision'])
  assert bool(told['git_diff']) == told['git_changed']


@pytest.mark.parametrize(
  'name, told',
  [
    ('JAX_ENABLE_X64', True),
    ('JAX_DEFAULT_MATMUL_PRECISION', True),
    ('LIBTPU_INIT_ARGS', True),
    ('NVIDIA_TF32_OVERRIDE', True),
    ('NCCL_ALGO', True),
    ('XLA_FLAGS', False),
    ('JAX_COMPILATION_CACHE_DIR', False),
    ('JAX_PLATFORMS', False),
    ('JAX_TRACEBACK_FILTERING', False),
    ('XLA_PYTHON_CLIENT_MEM_FRACTION', False),
    ('HOME', False),
  ],
)
def test_variables_that_may_change_numbers(name, told, monkeypatch):
  monkeypatch.setenv(name, '1')
  assert (name in provenance.environment()) == told


def test_a_start_adds_to_what_earlier_ones_have_told(copy, capfd):
  before = change(copy, packages={'jax': '0.0.1'}, host='elsewhere')
  said = go_on(copy, capfd, '--config.report_every=5')
  assert said == (
    f'resumed {copy} at step 8, but not as before: packages.jax 0.0.1 ->'
    f' {jax.__version__}'
  )
  now = record_lib.read(copy)
  assert now['step'] == 8 and now['packages'] == before['packages']
  assert now['starts'][0] == before['starts'][0]
  (start,) = now['starts'][1:]
  assert start['step'] == 8
  assert start['decides'] == {'packages.jax': ['0.0.1', jax.__version__]}
  assert start['differs']['host'][0] == 'elsewhere'
  assert start['config']['config.report_every'] == [4, 5]
  # Once told, it is history: the next start is as this one.
  assert go_on(copy, capfd) == f'resumed {copy} at step 10'
  assert len(record_lib.read(copy)['starts']) == 3


def test_a_manifest_of_an_earlier_version_is_read(copy):
  told = record_lib.read(copy)
  earlier = {name: told[name] for name in EARLIER}
  earlier['packages'] = {'jax': '0.0.1', 'tensorflow-datasets': None}
  files.write_json(copy / 'manifest.json', earlier)
  changed = record_lib.check(copy, told)
  assert f'packages.jax 0.0.1 -> {jax.__version__}' in changed
  assert not any('packages.pillow' in line for line in changed)
  assert changed[-1].startswith('not recorded then: components, cpu,')
  record_lib.write(
    copy, told, contents_lib.read_config(copy / 'config.json'), step=8
  )
  now = record_lib.read(copy)
  assert [start['step'] for start in now['starts']] == [None, 8]
  assert now['starts'][0]['command'] == told['command']
  assert record_lib.check(copy, told) == []


@pytest.mark.parametrize(
  'left',
  [
    '', '{', '[]', '{"starts": 3}', '{"starts": [{"decides": {"a": 1}}]}',
    '{"xla_flags": 1}', '{"components": []}', '{"data_fingerprint": 7}',
  ],
)  # fmt: skip
def test_a_manifest_that_is_lost_is_told(left, copy):
  told = record_lib.read(copy)
  (copy / 'manifest.json').write_text(left)
  (line,) = record_lib.check(copy, told)
  assert 'what it was made with unknown' in line


def test_readers_of_a_run_that_is_trained_in_are_not_refused(copy, tmp_path):
  with lock.hold(copy, stop_signal=lambda: None):
    sample.main(['', f'--workdir={copy}', f'--out={tmp_path / "x.png"}'])
  assert (tmp_path / 'x.png').exists()


# Flags and groups.


def record(**told):
  return {'source': 'a', 'xla_flags': '', 'packages': {}, 'split': {}} | told


@pytest.mark.parametrize(
  'before, now, decides',
  [
    ('--xla_a=1', '--xla_a=2', ['xla_flags.xla_a']),
    ('--xla_a=1 --xla_b', '--xla_b=true --xla_a=1', []),
    ('--xla_force_host_platform_device_count=2', '', []),
    ('--xla_dump_to=here', '--xla_gpu_dump_level=1', []),
  ],
)
def test_flags_are_compared_one_by_one(before, now, decides):
  found = differences.records(record(xla_flags=before), record(xla_flags=now))
  assert [d.key for d in found if d.decides] == decides


def test_a_commit_that_changes_no_source_changes_no_number():
  pair = record(git_revision='a'), record(git_revision='b')
  assert [d.decides for d in differences.records(*pair)] == [False]
  for one in pair:  # of an earlier version
    del one['source']
  assert [d.decides for d in differences.records(*pair)] == [True]


def test_which_keys_of_a_config_decide():
  config = command.load_config('configs/ring8.py:tiny')
  other = config | {
    'seed': 1, 'steps': 9, 'report_every': 3, 'parallel': 'jit',
    'on_divergence': 'rollback', 'eval_every': 3,
    'data': {'name': 'ring8', 'std': 0.1, 'memory_mb': 3},
  }  # fmt: skip
  found = {d.key: d.decides for d in differences.configs(config, other)}
  assert found == {
    'config.seed': True, 'config.steps': True, 'config.report_every': False,
    'config.parallel': False, 'config.on_divergence': True,
    'config.eval_every': False, 'config.data.std': True,
    'config.data.memory_mb': False,
  }  # fmt: skip
  goal = {'stop_when': {'metric': 'modes', 'above': 9}}
  (found,) = differences.configs(
    config | goal, config | goal | {'eval_every': 3}
  )
  assert found.decides


# The command.


def diff(capfd, *argv):
  capfd.readouterr()
  with pytest.raises(SystemExit) as leaving:
    command.run(manifest.main, ['', 'diff', *map(str, argv)])
  out, err = capfd.readouterr()
  assert not err
  return leaving.value.code, out.splitlines()


def test_what_differs_between_two_runs(run, copy, capfd):  # noqa: F811
  assert diff(capfd, run, copy / 'manifest.json') == (0, ['no difference'])
  config = json.loads((copy / 'config.json').read_text())
  files.write_json(copy / 'config.json', config | {'report_every': 3})
  assert diff(capfd, run, copy) == (
    0, ['cannot change them:', '  config.report_every 4 -> 3'],
  )  # fmt: skip
  told = record_lib.read(run)
  packages = told['packages'] | {'jax': '0.0.1'}
  change(copy, packages=packages, xla_flags=f'{told["xla_flags"]} --xla_x')
  files.write_json(copy / 'config.json', config | {'loss': {'name': 'hinge'}})
  code, lines = diff(capfd, run, copy)
  assert code == 1 and lines == [
    'can change the numbers:',
    f'  packages.jax {jax.__version__} -> 0.0.1',
    '  xla_flags.xla_x absent -> true',
    '  config.loss.name cross_entropy -> hinge',
  ]


def test_a_run_that_went_on_otherwise_differs(run, copy, capfd):  # noqa: F811
  told = record_lib.read(run)
  start = told['starts'][0] | {'step': 4, 'decides': {'python': ['3', '4']}}
  change(copy, starts=[*told['starts'], start])
  line = f'  only in {copy}: python 3 -> 4 at step 4'
  assert diff(capfd, run, copy) == (1, ['can change the numbers:', line])


def test_what_one_does_not_tell_may_differ(run, copy, capfd):  # noqa: F811
  told = record_lib.read(copy)
  del told['cpu']
  files.write_json(copy / 'manifest.json', told)
  line = '  not recorded in one of the two: cpu'
  assert diff(capfd, run, copy) == (1, ['can change the numbers:', line])


@pytest.mark.parametrize(
  'argv, word',
  [
    ((), 'expected diff A B'),
    (('dif', 'a', 'b'), "'dif': expected diff A B"),
    (('diff', 'a'), 'expected two runs, got 1'),
    (('diff', 'a', 'b', 'c'), 'got 3'),
    (('diff', 'absent', 'absent'), 'absent: no run here'),
    (('diff', '{}', '{}'), 'not a manifest'),
  ],
)
def test_a_mistake(argv, word, tmp_path, capfd):
  (tmp_path / 'manifest.json').write_text('[]')
  argv = [one.format(tmp_path) for one in argv]
  assert word in complaint(capfd, manifest.main, *argv)


def test_help(capfd):
  with pytest.raises(SystemExit) as leaving:
    command.run(manifest.main, ['', '--help'])
  out, err = capfd.readouterr()
  assert leaving.value.code == 0 and not err
  assert 'diff A B' in out and len(out.splitlines()) <= 3


def test_a_renamed_key_names_the_new_one():
  with pytest.raises(UserError, match="update.*renamed to 'dynamics'"):
    command.load_config('configs/ring8.py', {'update': 'simultaneous'})
  with pytest.raises(UserError, match="renamed to 'dynamics'"):
    config = command.load_config('configs/ring8.py')
    setup_lib.build({**config, 'update': 'simultaneous'})
  for name in recipe.RENAMED.values():
    assert name in keys.TABLE
