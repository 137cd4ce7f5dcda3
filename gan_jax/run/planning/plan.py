"""What a run needs, before anything of it is trained: plain values for JSON.

{'parameters': {player: n}, 'flops_per_step': ..., 'bytes': {part: n}, ...}.
"""

import time
from collections.abc import Callable

import jax

from gan_jax.devices import chips
from gan_jax.run.planning import costs, described, on_slice, stand_in, timed
from gan_jax.run.setup import Setup
from gan_jax.storage import memory

STEPS = 3  # that are measured at least


def of_run(
  config: dict,
  *,
  num_classes: int = 0,
  shape: tuple[int, ...] = (),
  steps: int = STEPS,
  topology: str = '',
  compile_step: Callable = costs.compile_step,
  time_run: Callable = timed.measure,
) -> dict:
  """The plan of a run; its data are not read.

  Args:
    config: all keys of run.config.keys.TABLE.
    num_classes, shape: see described.setup.
    steps: that are measured at least; 0: none.
    topology: a slice of TPU chips, see on_slice.plan; '': none.
    compile_step: Setup -> costs.Step.
    time_run: (Setup, config, steps=) -> timed.Times.

  Returns:
    plain values. Operations, bytes and seconds are those of all seeds,
    parameters those of one.

  Raises:
    UserError: see described.setup and on_slice.plan.
  """
  given = {'num_classes': num_classes, 'shape': shape}
  setup_of = lambda config: described.setup(config, **given)
  begin = time.perf_counter()
  setup = setup_of(config)
  built = time.perf_counter() - begin
  # Before what takes longer: it may be refused.
  slice_ = on_slice.plan(setup_of, config, topology) if topology else {}
  step, seeds = compile_step(setup), len(setup.keys)
  made = {
    'run': _run(setup, config),
    'parameters': costs.parameters(setup),
    'stages': costs.stages(setup),
    'flops_per_step': seeds * step.flops,
    'bytes_per_step': seeds * step.accessed,
    'bytes': costs.by_part(setup, step, aside=_aside(config)),
    'measured': _measured(step, config, given, built, steps, time_run)
    if steps
    else _skipped('not asked for'),
  }
  made['roofline'] = _roofline(made, config)
  return made | ({'topology': slice_} if topology else {})


def _aside(config):
  return stand_in.kept_aside(config['data']) if config['health_every'] else 0


def _run(setup: Setup, config) -> dict:
  """What is planned."""
  return {
    'data': setup.dataset.name,
    'shape': list(setup.dataset.shape),
    'num_classes': setup.num_classes,
    'attributes': len(setup.attributes),
    'examples': setup.dataset.size,  # 0: only the files know
    'batch_size': setup.batch_size,
    'num_seeds': len(setup.keys),
    'steps': config['steps'],
    'dtype': config['dtype'],
  }


def _skipped(why) -> dict:
  return {'device': jax.devices()[0].device_kind, 'skipped': why}


def _measured(step, config, given, built, steps, time_run) -> dict:
  """Seconds here, by what they are spent on, or why there are none."""
  setup = described.rehearsed(config, **given)
  if why := costs.too_much(setup, step):
    return _skipped(why)
  times = time_run(setup, config, steps=steps)
  if times.start:  # 0: a study has this program already
    times = times._replace(start=built + times.start)
  parts = timed.parts(times, config)
  return {
    'device': jax.devices()[0].device_kind,
    'seconds_per_step': times.step,
    'seconds_per_run': sum(parts.values()),
    'seconds': parts,
    'peak_bytes': memory.peak(),
  }


def _times(seconds, config):
  whole = seconds * config['steps']
  return {'seconds_per_step': seconds, 'seconds_per_run': whole}


def _roofline(made, config) -> dict:
  """By chip: the least time, what bounds it, and whether memory is enough."""
  flops, accessed = made['flops_per_step'], made['bytes_per_step']
  dtype = config['dtype']
  table = {}
  for chip in chips.CHIPS:
    compute = chip.seconds(flops, 0, dtype)
    least = chip.seconds(flops, accessed, dtype)
    table[chip.name] = {
      **_times(least, config),
      'bound': 'compute' if compute == least else 'memory',
      'fits': made['bytes']['total'] <= chip.memory,
      'source': chip.source,
    }
  return table
