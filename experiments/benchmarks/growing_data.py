"""How reading grows with the data, and what a streamed step costs.

python -m experiments.benchmarks.growing_data [--only=npz,folder,ring8]
  [--most=1000000] [--rounds=15]

Files are made in a temporary folder, with a cache of their own.
"""

import argparse
import contextlib
import functools
import os
import pathlib
import shutil
import tempfile
import time
import tracemalloc

import numpy as np

from experiments.benchmarks import cases, ours, results, timing
from gan_jax import data
from gan_jax.run import setup as setup_lib
from tests import tiny_data

ARCHIVES = (3_000, 10_000, 30_000, 100_000)  # images of 32 x 32 x 3
FOLDERS = (10_000, 30_000, 100_000, 300_000, 1_000_000)  # of 8 x 8 x 3
# What is streamed, and whether its decoded examples were kept before.
STREAMS = {
  'ring8': ('npz',),
  'digits': ('npz',),
  'dcgan32': ('npz', 'folder, kept', 'tfds, kept', 'folder'),
}
SHAPES = {'ring8': (2,), 'digits': (8, 8, 1), 'dcgan32': (32, 32, 3)}
SIZE = 5_000  # examples that are streamed
RESIDENT = 'resident'
MIB = 2**20


# ------------------------------------------------------------------ an .npz


def archives(root: pathlib.Path, most: int) -> list[dict]:
  """Memory and time of reading, as a multiple of the array that is made."""
  lines, path = [], root / 'x.npz'
  ways = {
    'np.load': lambda: _plainly(path),
    'in memory': lambda: data.load('npz', path=str(path), memory_mb=9999),
    'on disk': lambda: data.load('npz', path=str(path), memory_mb=0),
  }
  for size in (n for n in ARCHIVES if n <= most):
    np.savez(path, x=tiny_data.images(size, (32, 32, 3)))
    nbytes = size * 32 * 32 * 3
    for way, read in ways.items():
      seconds, peak = _timed(read), _peak(read)
      line = {'part': 'npz', 'way': way, 'size': size, 'seconds': seconds}
      lines.append(line | {'peak': peak / nbytes, 'megabytes': nbytes / MIB})
  return lines


def _plainly(path):
  with np.load(path) as file:
    return file['x']


def _timed(function):
  begin = time.perf_counter()
  function()
  return time.perf_counter() - begin


def _peak(function):
  """The most bytes that Python and NumPy had at once."""
  tracemalloc.start()
  kept = function()
  _, peak = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  del kept
  return peak


# ------------------------------------------------------------------ a folder


def folders(root: pathlib.Path, most: int) -> list[dict]:
  """Seconds of the first start and of the next, of growing folders."""
  sources = _write_sources(root / 'sources')
  lines = []
  for size in (n for n in FOLDERS if n <= most):
    here = _linked(root / f'{size}', sources, size)
    time.sleep(3)  # what was written a moment ago is not trusted
    open_it = functools.partial(_opened, here)
    line = {'part': 'folder', 'size': size}
    for start in ('first', 'again'):
      begin = time.process_time()
      line[start] = _timed(open_it)
      line[f'{start}_cpu'] = time.process_time() - begin
    lines.append(line)
    print(line, flush=True)
    shutil.rmtree(here)
  return lines


def _opened(root):
  return data.load('folder', dir=str(root), memory_mb=0)


def _write_sources(root):
  tiny_data.write_folder(root, tiny_data.images(1_000))
  return sorted(root.iterdir())


def _linked(root, sources, size):
  """A folder of so many files in a hundred classes, by links to a few."""
  for k in range(100):
    (root / f'{k:02}').mkdir(parents=True)
  for i in range(size):
    os.link(sources[i % len(sources)], root / f'{i % 100:02}' / f'{i}.png')
  return root


# ----------------------------------------------------------- streamed steps


def streams(root: pathlib.Path, case: str, rounds: int) -> list[dict]:
  """Steps per second, resident and streamed, in turn."""
  sources = _sources(root, case)
  contenders = [_contender(case, RESIDENT, sources['npz'], 4096)]
  for way in STREAMS[case]:
    own = sources[way.partition(',')[0]]
    contenders.append(_contender(case, way, own, 0))
  counts = [timing.calibrate(c.advance, seconds=0.5) for c in contenders]
  lines = []
  for i in range(rounds):
    line = {'part': 'stream', 'model': case, 'round': i}
    line |= {'speed': {}, 'cpu': {}}
    for contender, n in zip(contenders, counts, strict=True):
      begin = time.process_time()
      advance = functools.partial(contender.advance, n)
      line['speed'][contender.name] = n / _timed(advance)
      line['cpu'][contender.name] = n / (time.process_time() - begin)
    lines.append(line)
  return lines


def _sources(root, case):
  """Group `data` of a config for each form in which a case's data lie."""
  path, shape = root / 'x.npz', SHAPES[case]
  if len(shape) == 1:
    x = np.random.default_rng(0).normal(size=(SIZE, *shape))
  else:
    x = tiny_data.images(SIZE, shape)
  np.savez(path, x=x)
  sources = {'npz': {'name': 'npz', 'path': str(path)}}
  forms = {way.partition(',')[0] for way in STREAMS[case]}
  if 'folder' in forms:
    tiny_data.write_folder(root / 'folder', x)
    sources['folder'] = {'name': 'folder', 'dir': str(root / 'folder')}
  if 'tfds' in forms:
    _write_records(root / 'tfds', x)
    sources['tfds'] = {'name': 'cifar10', 'dir': str(root / 'tfds')}
  return sources


def _write_records(root, x):
  each = (
    (i, {'id': str(i), 'image': tiny_data.png(image), 'label': i % 10})
    for i, image in enumerate(x)
  )
  tiny_data.write_records(root, 'cifar10', {'train': each})


def _contender(case, way, source, memory_mb):
  keeps = way.endswith('kept')
  with _environment(GAN_JAX_KEEP_MB='' if keeps else '0'):
    config = cases.config(case, data={**source, 'memory_mb': memory_mb})
    setup = setup_lib.build(config)
    if keeps:
      data.arrays(setup.dataset)
    return timing.Contender(way, ours.make_advance(setup))


@contextlib.contextmanager
def _environment(**names):
  before = {name: os.environ.get(name) for name in names}
  os.environ.update(names)
  try:
    yield
  finally:
    for name, value in before.items():
      os.environ.pop(name)
      if value is not None:
        os.environ[name] = value


# ------------------------------------------------------------------ results


def report(lines: list[dict]) -> str:
  """The tables of what was measured on this device."""
  own = [line for line in lines if line['device'] == results.device()]
  of = lambda part: [line for line in own if line['part'] == part]
  tables = (
    _archives(of('npz')),
    _folders(of('folder')),
    _streams(of('stream')),
  )
  return '\n\n'.join([results.device(), *filter(None, tables)])


def _archives(lines):
  rows = [
    [
      f'{x["size"]:,} ({x["megabytes"]:.0f} MB)',
      x['way'],
      f'{x["peak"]:.2f}',
      f'{x["seconds"]:.2f}',
    ]
    for x in sorted(lines, key=lambda x: x['size'])
  ]
  header = ['images of an .npz', 'read', 'peak / array', 'seconds']
  return results.table(header, rows) if rows else ''


def _folders(lines):
  rows = [
    [
      f'{x["size"]:,}',
      f'{x["first"]:.1f}',
      f'{x["again"]:.2f}',
      f'{1e6 * x["first_cpu"] / x["size"]:.0f}',
      f'{1e6 * x["again_cpu"] / x["size"]:.1f}',
    ]
    for x in sorted(lines, key=lambda x: x['size'])
  ]
  header = ['files', 'first start, s', 'next start, s']
  header += ['first: CPU µs a file', 'next: CPU µs a file']
  return results.table(header, rows) if rows else ''


def _streams(lines):
  rows = []
  for case in STREAMS:
    group = [x for x in lines if x['model'] == case]
    for way in group[0]['speed'] if group else ():
      ratio = results.spread(results.ratio(group, RESIDENT, way))
      cpu = results.spread([x['cpu'][RESIDENT] / x['cpu'][way] for x in group])
      speed = results.speed(results.speeds(group)[way])
      both = ['', ''] if way == RESIDENT else [ratio, cpu]
      rows.append([case, way, speed, *both])
  header = ['model', 'data', 'steps/s', 'time / resident: median (range)']
  header.append('the same of CPU time')
  return results.table(header, rows) if rows else ''


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  every = ','.join(['npz', 'folder', *STREAMS])
  parser.add_argument('--only', default=every, help='parts, by comma')
  parser.add_argument('--most', type=int, default=max(FOLDERS))
  parser.add_argument('--rounds', type=int, default=15)
  args = parser.parse_args()
  parts = {
    'npz': lambda root: archives(root, args.most),
    'folder': lambda root: folders(root, args.most),
  }
  for case in STREAMS:
    parts[case] = functools.partial(streams, case=case, rounds=args.rounds)
  for name in args.only.split(','):
    with tempfile.TemporaryDirectory() as folder:
      cache = os.path.join(folder, 'cache')
      with _environment(GAN_JAX_CACHE=cache):
        lines = parts[name](pathlib.Path(folder))
    own = {'case': name, 'device': results.device()}
    lines = [own | line for line in lines]
    results.publish('growing_data', lines, report)


if __name__ == '__main__':
  main()
