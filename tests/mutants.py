"""Which faults of a formula would no test notice?

    python -m tests.mutants losses metrics/fid.py --limit 15 --seed 0

Puts one small fault (tests/mutations.py) after another into a module and runs
the tests of that module (tests/mutant_runs.py), those first that run through
the changed line. Prints each fault that survives; the exit code is 1 if one of
them is not judged in tests/mutants_judged.txt. All rooms take hours; a sample
of a few faults of each file, some minutes.
"""

import argparse
import ast
import pathlib
import random
import sys
import time
from collections import Counter

from tests import mutant_runs, mutations

ROOT = mutant_runs.ROOT
JUDGED = ROOT / 'tests' / 'mutants_judged.txt'
ROOMS = (
  'losses',
  'penalties',
  'conditioning',
  'augment',
  'dynamics',
  'models',
  'game',
  'metrics',
  'study/statistics',
)
STYLES = (
  'bands', 'equalised', 'filters', 'leaky', 'mapping', 'minibatch', 'modulated',
  'running', 'style_prior', 'styled',
)  # fmt: skip
# Where the tests of a module are, under tests/: the first line that fits.
TESTS = {
  'losses/': ['components/test_losses*.py'],
  'penalties/supervised.py': ['components/test_timegan.py'],
  'penalties/moments.py': ['components/test_timegan.py'],
  'penalties/logan.py': ['components/test_logan.py'],
  'penalties/path_length.py': ['components/test_path_length.py'],
  'penalties/kl.py': ['components/test_encoder_terms.py'],
  'penalties/reconstruction.py': ['components/test_encoder_terms.py'],
  'penalties/': [
    'components/test_penalties*.py',
    'game/test_what*.py',
    'devices/test_penalties.py',
  ],
  'conditioning/inner_product.py': [
    'components/test_gat.py',
    'components/test_conditioning_heads.py',
  ],
  'conditioning/mapped_projection.py': [
    'components/test_style_layers.py',
    'components/test_conditioning_heads.py',
  ],
  'conditioning/': ['components/test_conditioning*.py'],
  'augment/': [
    'components/test_augment*.py',
    'game/test_augmenting.py',
    'game/test_step*.py',
  ],
  'dynamics/timegan.py': ['components/test_timegan.py'],
  'dynamics/equilibrium.py': ['components/test_encoder_terms.py'],
  'dynamics/': [
    'game/test_step*.py',
    'game/test_what*.py',
    'game/test_dynamics*.py',
  ],
  'models/timegan.py': ['components/test_timegan.py'],
  'models/specgan.py': ['components/test_specgan.py'],
  'models/layers/spectrograms.py': ['components/test_spectrograms.py'],
  'models/layers/stages.py': [
    'components/test_specgan.py',
    'components/test_models*.py',
  ],
  'models/layers/pairs.py': ['components/test_encoder_models.py'],
  'models/layers/convolutions.py': [
    'components/test_convolutions.py',
    'components/test_layers.py',
    'components/test_wavegan.py',
  ],
  'models/layers/gemm.py': [
    'components/test_convolutions.py',
    'components/test_winograd.py',
    'components/test_layers.py',
    'components/test_wavegan.py',
    'components/test_r3gan.py',
  ],
  'models/layers/winograd.py': ['components/test_winograd.py'],
  'models/layers/phases.py': [
    'components/test_convolutions.py',
    'components/test_wavegan.py',
  ],
  'models/layers/magnitude.py': ['components/test_r3gan2.py'],
  **dict.fromkeys(
    (f'models/layers/{name}.py' for name in STYLES),
    ['components/test_style_layers.py', 'components/test_stylegan*.py'],
  ),
  **dict.fromkeys(
    (f'models/layers/{name}.py' for name in ('transformer', 'positions')),
    ['components/test_gat.py'],
  ),
  'models/layers/inverted.py': ['components/test_r3gan.py'],
  **{
    f'models/{name}.py': [f'components/test_{name}.py']
    for name in ('gat', 'r3gan', 'r3gan2', 'stylegan2', 'stylegan3')
  },
  'models/layers/': [
    'components/test_encoder_models.py',
    'components/test_layers*.py',
    'components/test_norms.py',
    'components/test_models*.py',
  ],
  **{
    f'models/{name}.py': ['game/test_dynamics*.py', 'game/test_toys.py']
    for name in ('dirac', 'bilinear', 'quadratic')
  },
  'models/': [
    'components/test_models*.py',
    'components/test_encoder_models.py',
  ],
  'game/health/': [
    'game/test_health*.py',
    'game/test_diagnosis*.py',
    'game/test_outcome*.py',
  ],  # fmt: skip
  'game/sampling/': ['game/test_sampling*.py'],
  'game/keys.py': ['game/test_keys.py'],
  'game/packing.py': ['game/test_packing.py'],
  'game/latents.py': [
    'game/test_latents.py',
    'game/test_keys.py',
    'run/test_sampling_ways.py',
  ],
  'game/ema_posthoc.py': ['game/test_ema.py'],
  'game/ema.py': [
    'game/test_ema.py',
    'game/test_optim_floats.py',
    'game/test_schedules.py',
  ],
  'game/field.py': ['game/test_dynamics*.py'],
  'game/jacobians.py': ['run/test_spectrum.py'],
  'game/optim.py': ['game/test_optim*.py', 'game/test_schedules.py'],
  'game/by_name.py': ['game/test_optim*.py', 'game/test_schedules.py'],
  'game/schedules.py': [
    'game/test_schedules.py',
    'game/test_optim*.py',
    'components/test_r3gan2.py',
  ],
  'game/changes.py': ['game/test_changes.py'],
  'game/gradients.py': [
    'game/test_gradients.py',
    'components/test_penalties*.py',
  ],
  'game/beginning.py': ['game/test_beginning.py', 'game/test_step*.py'],
  'game/forward.py': [
    'game/test_beginning.py',
    'game/test_step*.py',
    'game/test_what*.py',
    'game/test_augmenting.py',
  ],
  'game/refusals.py': [
    'game/test_rules.py',
    'game/test_players.py',
    'components/test_conditioning_mistakes.py',
    'components/test_logan.py',
  ],
  'game/augmenting.py': ['game/test_augmenting.py'],
  'game/rules.py': ['game/test_rules.py', 'components/test_options.py'],
  'game/objectives.py': ['game/test_rules.py', 'game/test_step*.py'],
  'game/': ['game/test_step*.py', 'game/test_what*.py'],
  'study/statistics/': ['study/test_statistics*.py'],
  'metrics/text/': ['metrics/test_text.py'],
  'metrics/features/': [
    'metrics/test_{stem}*.py',
    'metrics/test_spaces.py',
    'metrics/test_inception.py',
  ],
  'metrics/encoder/': ['metrics/test_encoder.py'],
  'metrics/sound/': ['metrics/test_sound.py'],
  'metrics/series/': ['metrics/series/test_*.py'],
  'metrics/compute.py': ['metrics/test_scores.py', 'metrics/test_compute.py'],
  'metrics/measures.py': [
    'metrics/test_measures.py',
    'metrics/test_scores.py',
    'metrics/test_compute.py',
  ],
  'metrics/': ['metrics/test_{stem}*.py', 'metrics/test_defaults.py'],
}


def sources(place: str) -> list[pathlib.Path]:
  """The modules of a room or a file, named from gan_jax/ or from the root."""
  for base in (ROOT / 'gan_jax', ROOT):
    found = base / place
    if found.is_file():
      return [found]
    if found.is_dir():
      return sorted(p for p in found.rglob('*.py') if p.stem != '__init__')
  raise SystemExit(f'{place}: no such room or file')


def tests_of(path: pathlib.Path) -> tuple[str, ...]:
  """The test files that hold a module."""
  inside = path.relative_to(ROOT / 'gan_jax').as_posix()
  patterns = next(v for k, v in TESTS.items() if inside.startswith(k))
  found = [
    str(file)
    for pattern in patterns
    for file in sorted((ROOT / 'tests').glob(pattern.format(stem=path.stem)))
  ]
  return tuple(dict.fromkeys(found))


def judged() -> dict[tuple[str, str, str], str]:
  """{(file, line, fault): why no test need notice it}; a fault may be *."""
  found, file, line, fault = {}, '', '', ''
  for text in JUDGED.read_text().splitlines():
    depth, words = len(text) - len(text.lstrip()), text.strip()
    if not words or words.startswith('#'):
      continue
    if depth == 0:
      file = words
    elif depth == 2:
      line = words
    elif depth == 4:
      fault = words
      found[file, line, fault] = ''
    else:
      found[file, line, fault] = f'{found[file, line, fault]} {words}'.strip()
  return found


def places(path: pathlib.Path, fault: mutations.Fault) -> list[tuple]:
  """(file, text of the line, fault or *), as the judged ones are listed."""
  line = path.read_text().splitlines()[fault.old.lineno - 1].strip()
  file = str(path.relative_to(ROOT))
  return [(file, line, str(fault)), (file, line, '*')]


def try_faults(path: pathlib.Path, *, limit: int, seed: int) -> Counter:
  """Tries a module's faults, at most `limit` of them; prints what survives."""
  tree, known, counts = ast.parse(path.read_text()), judged(), Counter()
  chosen = mutations.faults(tree)
  if limit and len(chosen) > limit:
    chosen = random.Random(f'{seed} {path.name}').sample(chosen, limit)
  suite = mutant_runs.measured(tests_of(path)) if chosen else None
  started = time.monotonic()
  for fault in sorted(chosen, key=lambda fault: fault.old.lineno):
    outcome = mutant_runs.outcome(path, tree, fault, suite)
    if outcome == 'survived' and not known.keys().isdisjoint(
      places(path, fault)
    ):
      outcome = 'judged'
    counts[outcome] += 1
    if outcome in ('survived', 'timeout'):
      (file, line, change), _ = places(path, fault)
      print(f'{outcome}: {file}:{fault.old.lineno}\n  {line}\n    {change}')
  seconds = time.monotonic() - started
  print(f'{path.relative_to(ROOT)}: {summary(counts)}, {seconds:.0f} s')
  sys.stdout.flush()
  return counts


def summary(counts: Counter) -> str:
  kinds = ('killed', 'timeout', 'judged', 'survived')
  each = ', '.join(f'{counts[kind]} {kind}' for kind in kinds)
  return f'{counts.total()} faults: {each}'


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  add = parser.add_argument
  add('places', nargs='*', default=ROOMS, metavar='ROOM_OR_FILE')
  add('--limit', type=int, default=0, help='most faults of a file')
  add('--seed', type=int, default=0, help='which of them')
  options = parser.parse_args(arguments)
  mutant_runs.prepare()
  counts = Counter()
  for path in [path for each in options.places for path in sources(each)]:
    counts += try_faults(path, limit=options.limit, seed=options.seed)
  print(f'all: {summary(counts)}')
  return 1 if counts['survived'] else 0


if __name__ == '__main__':
  sys.exit(main())
