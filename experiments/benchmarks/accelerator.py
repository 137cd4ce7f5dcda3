"""Is one seed faster without vmap, and is a lazy penalty a real branch?

  python -m experiments.benchmarks.accelerator

On a GPU or TPU; on a CPU seeds take turns, and neither question comes up.
Prints steps per second, the median of three calls, for both ways beside each
other, and how often the step was compiled.
"""

import time

import jax
import numpy as np

from gan_jax.devices import layout, parallel, wrappers
from gan_jax.run import command
from gan_jax.run import setup as setup_lib

LOOP = parallel.Layout(loop=True, seeds='vmap')
EVENT = '/jax/core/compile/backend_compile_duration'
R1 = {'model.d.norm': 'spectral', 'penalties.r1.gamma': 0.1}
alone = layout._vectorised  # which takes one seed by itself


def always_vmapped(counted, *, loop, streamed):
  """layout's vectorised seeds, one seed among them."""
  axes = (0, 0, 0, None, 0 if streamed else None, None, None)
  every_seed = jax.vmap(counted, in_axes=axes)

  def advance(state, total, keys, index, data, given, n):
    def move(state, total):
      at = state.step[0]
      return every_seed(state, total, keys, index, data, given, at)

    return layout._repeat(move, state, total, n, loop=loop)

  return advance


def build(recipe: str, overrides: dict):
  """The setup of a recipe; noise stands for images that are not at hand."""
  config = command.load_config(f'configs/{recipe}.py', overrides)
  if recipe == 'dcgan':
    shape = (4096, 32, 32, 3)
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    np.savez('/tmp/noise.npz', x=x)
    config['data'] = {'name': 'npz', 'path': '/tmp/noise.npz'}
  return setup_lib.build(config)


def speed(recipe: str, steps: int, *, make=alone, **overrides) -> tuple:
  """(steps per second, compilations of the step) of a recipe."""
  layout._vectorised = make
  parallel._advance.cache_clear()
  wrappers.compiled.cache_clear()
  setup, compiled = build(recipe, overrides), []
  program = setup_lib.make_program(
    setup, wrapper='jit', layout=LOOP, devices=jax.devices()[:1]
  )
  data = setup_lib.make_data(setup, program, step=0)(0)

  def note(event, seconds, **about):
    if event == EVENT and 'advance' in about.get('fun_name', ''):
      compiled.append(seconds)

  jax.monitoring.register_event_duration_secs_listener(note)
  state, total = program.put(setup.init()), program.put(program.zeros)
  rates = []
  for n in (10, steps, steps, steps):  # the first one compiles
    begun = time.perf_counter()
    state, total = program.advance(state, total, data, n)
    jax.block_until_ready(total)
    rates.append(n / (time.perf_counter() - begun))
  jax.monitoring.unregister_event_duration_listener(note)
  return float(np.median(rates[1:])), len(compiled)


def main():
  """Prints all figures."""
  print(jax.__version__, jax.devices()[0].device_kind)
  for recipe, steps in (('ring8', 4000), ('dcgan', 1000)):
    for _ in range(2):
      own, vmapped = (
        speed(recipe, steps, make=make) for make in (alone, always_vmapped)
      )
      print(recipe, f'alone {own}, vmapped {vmapped}', own[0] / vmapped[0])
  for name, overrides in (
    ('no penalty', {'model.d.norm': 'spectral'}),
    ('R1 every step', R1),
    ('R1 every 16 steps', R1 | {'penalties.r1.every': 16}),
  ):
    rate = speed('dcgan', 300, num_seeds=4, **overrides)
    print('dcgan, 4 seeds,', name, rate)


if __name__ == '__main__':
  main()
