"""What predictions.py compares: what a plan says, and what a training takes."""

import contextlib
import functools
import pathlib
import statistics
import tempfile
import time

import jax

from gan_jax import recipes
from gan_jax.run import one_step, scorers, scoring, training
from gan_jax.run import setup as setup_lib
from gan_jax.run.planning import loops, plan
from gan_jax.run.workdir import contents
from gan_jax.storage import memory
from gan_jax.study import costs, jobs, schedule, worker
from gan_jax.study import plan as study_plan

CASES = {  # recipe -> steps
  'ring8': 4000,
  'ring8:tiny': 8000,
  'digits': 300,
  'mnist': 60,
  'biggan:digits': 120,
  'sngan:digits': 120,
  'wgan_gp:digits': 60,
  'stylegan2:digits': 60,
  'r3gan:digits': 60,
  'gat:digits': 60,
  'grammar_chargan': 200,
  'tones_wavegan': 100,
  'study': 1000,
}
STUDY = """
def get_study():
  return {{
    'base': 'ring8',
    'overrides': {{
      'steps': {steps}, 'report_every': {steps} // 2, 'save_every': {steps},
      'eval_every': {steps},
    }},
    'factors': {{
      'loss.name': ('hinge', 'lsgan'),
      'penalties.r1.gamma': (0.02, 0.1, 0.5),
    }},
    'num_seeds': 2,
  }}
"""


def config(case: str) -> dict:
  """All keys of a case; twice is saved and scored, four times reported."""
  steps = CASES[case]
  cadence = {'report_every': steps // 4, 'save_every': steps // 2}
  return recipes.load(case).to_dict() | cadence | {
    'steps': steps,
    'eval_every': steps // 2,
  }  # fmt: skip


def planned(case: str) -> dict:
  """What the plan says."""
  if case == 'study':
    with _study() as path:
      return {'run': costs.of_study(path)['measured']['seconds_per_run']}
  made = plan.of_run(config(case))
  own = made['measured']
  return {
    'step': own['seconds_per_step'],
    'run': own['seconds_per_run'],
    'live': made['bytes']['total'],
    'peak': own['peak_bytes'],
    'flops': made['flops_per_step'],
    'seconds': own['seconds'],
  }


def trained(case: str) -> dict:
  """The same of a training, from its first line of code to its last."""
  if case == 'study':
    return _worked()
  calls, seen = [], []
  setup_lib.make_program = _timed(setup_lib.make_program, calls, seen)
  begin = time.perf_counter()
  with tempfile.TemporaryDirectory() as workdir:
    training.train(config(case), workdir)
  run = time.perf_counter() - begin
  return {
    'step': _step(calls[1:]),
    'run': run,
    'live': max(seen),
    'peak': memory.peak(),
    'flops': _flops(case),
  }


@contextlib.contextmanager
def _study():
  """A file with a study of six cells, in two programs."""
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'study.py')
    path.write_text(STUDY.format(steps=CASES['study']))
    yield path


def _worked():
  """The study, by one worker."""
  with _study() as path, tempfile.TemporaryDirectory() as workdir:
    study, workdir = study_plan.load(path), pathlib.Path(workdir)
    schedule.open_workdir(study, workdir)
    ids = schedule.schedule(study, workdir, workers=1)
    begin = time.perf_counter()
    worker.work(workdir, ids)
    run = time.perf_counter() - begin
    failed = jobs.Queue(workdir).failures()
  if failed:
    raise SystemExit(f'study: {failed}')
  return {'run': run}


def _step(calls):
  """Seconds of a step: the median of the longer calls."""
  most = max(n for n, _ in calls)
  return statistics.median(s / n for n, s in calls if 2 * n > most)


def _timed(make, calls, seen):
  """make_program, of a program whose calls are (steps, seconds).

  The first of them compiles. `seen` gets the bytes of all arrays and of the
  program's temporaries after each call.
  """

  @functools.wraps(make)
  def made(*args, **kwargs):
    program = make(*args, **kwargs)

    def advance(state, total, data, n):
      begin = time.perf_counter()
      out = jax.block_until_ready(program.advance(state, total, data, n))
      calls.append((n, time.perf_counter() - begin))
      seen.append(sum(x.nbytes for x in jax.live_arrays()) + _temporaries())
      return out

    return program._replace(advance=advance)

  return made


def _programs():
  """The compiled programs that train."""
  there = jax.devices()[0].client.live_executables()
  return [x for x in there if 'advance' in x.hlo_modules()[0].name]


@functools.cache
def _temporaries():
  stats = [one.get_compiled_memory_stats() for one in _programs()]
  return max(one.temp_size_in_bytes for one in stats)


def _flops(case):
  """Of a step that nobody looks at, by XLA's count.

  Without a loop over D's updates, whose body would be counted once; of loops
  within the networks, what it leaves out.
  """
  setup = setup_lib.build(config(case) | {'health_every': 0})
  step = setup.functions.make_step(None, unroll=True)
  _, args = one_step.of_one_seed(setup)
  cost = jax.jit(step).lower(*args).compile().cost_analysis()
  return (cost['flops'] + loops.lacking(step, *args)[0]) * len(setup.keys)


def prepare(case: str):
  """Trains the classifier that scores a case, or finds it in its cache."""
  if case == 'study':
    return
  own = config(case)
  setup, protocol = setup_lib.build(own), contents.eval_protocol(own)
  names = scoring.metric_names(setup, own['metrics'], protocol=protocol)
  scorers.make_scorer(setup, names, protocol=protocol, say=print).prepare()
