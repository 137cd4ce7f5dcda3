"""The reports of a run in few rows, however many it has written.

A page draws lines of some hundred points, so it needs no more rows. Each kind
of row (reports, scores) is averaged where it has many, see averaging. What has
been read is kept beside a long log, so that nobody reads all of it again.
"""

import hashlib
import json
import os
import pathlib
from typing import NamedTuple

from gan_jax.report import averaging, protocols, text
from gan_jax.storage import files

LOG = 'metrics.jsonl'
FILE = 'metrics.condensed.json'
OFTEN = 1024  # new rows, after which the file is written (again)
EDGE = 4096  # bytes of the log by whose hash it is known again
FORMAT = 'condensed 1'


class Reports(NamedTuple):
  """What a run has reported."""

  rows: list[dict]  # as in metrics.jsonl; NAME_low and NAME_high as a score's
  since: dict[str, int]  # see protocols.of_one
  best: dict[str, 'Best']  # by name, of all rows


class Best(NamedTuple):
  """The extremes of a measurement, of its means over the seeds."""

  least: tuple[float, int]  # (mean, step), the earliest such step
  most: tuple[float, int]
  last: float


class Log:
  """A run's metrics.jsonl; reads what is new since it has been read."""

  def __init__(self, workdir, *, keep: bool = True):
    """Reads nothing yet.

    Args:
      workdir: of the run; its log need not be there.
      keep: whether what has been read may be kept in the workdir.
    """
    self._workdir = pathlib.Path(workdir)
    self._path = self._workdir / LOG
    self._state: _State | None = None
    self._keep, self._kept = keep, 0  # rows of the file beside the log

  def reports(self) -> Reports:
    """All of the run, as far as they are of one protocol."""
    self._update()
    entries = [e for kind in self._state.kinds.values() for e in kind.all()]
    rows = [entry.row for entry in sorted(entries, key=lambda e: e.index)]
    rows, since = protocols.of_one(rows, self._workdir)
    best = self._state.best.items()
    return Reports(
      rows,
      since,
      {n: b for n, b in best if b.least[1] >= since.get(n, 0)},
    )

  def _update(self):
    """Takes up the new rows, or all where the log is not the one known."""
    if self._state is None:
      self._state = _read(self._workdir / FILE)
      self._kept = self._state.count
    starts = protocols.starts(self._workdir)
    try:
      with open(self._path, 'rb') as log:
        if not (self._state.is_of(log) and self._state.parted_by(starts)):
          self._state, self._kept = _State(), 0
        self._state.take(log, starts)
    except OSError:
      self._state, self._kept = _State(), 0
    if self._keep and self._state.count - self._kept >= OFTEN:
      self._write()

  def _write(self):
    """Keeps the state; where it cannot be kept, it is made again."""
    self._kept = self._state.count
    try:
      _save(self._workdir / FILE, self._state)
    except OSError:  # read-only, or full: the run's own rows matter more
      return


def of(workdir) -> Reports:
  """What a run has reported; writes nothing into its workdir."""
  return Log(workdir, keep=False).reports()


def known_until(log, step: float) -> int:
  """Bytes at the head of a log known to be rows, none later than a step.

  Args:
    log: path of the metrics.jsonl.
    step: a step, or infinity.
  """
  path = pathlib.Path(log)
  state = _read(path.with_name(FILE))
  with open(path, 'rb') as there:
    known = state.whole and state.top <= step and state.is_of(there)
  return state.offset if known else 0


def forget_beyond(log, size: int):
  """Forgets what is kept of a log that is to be cut to a number of bytes.

  Args:
    log: path of the metrics.jsonl.
    size: of what stays of it as it was.
  """
  path = pathlib.Path(log).with_name(FILE)
  if _read(path).offset > size:
    path.unlink(missing_ok=True)


class _State:
  """What is known of a log: its rows in kinds, and how far it was read."""

  def __init__(self):
    """Of a log of which nothing has been read."""
    self.offset, self.edge = 0, _hash(b'')  # bytes read; hash of the last
    self.whole, self.top = True, -1  # all were rows; their highest step
    self.count = 0  # of rows
    self.starts = []  # see protocols.starts
    self.kinds: dict[tuple, averaging.Kind] = {}
    self.best: dict[str, Best] = {}

  def is_of(self, log) -> bool:
    """Whether a log still begins with what has been read."""
    there = os.fstat(log.fileno()).st_size
    return there >= self.offset and self._edge(log) == self.edge

  def parted_by(self, starts) -> bool:
    """Whether what has been read is parted where protocols change."""
    return _until(starts, self.top) == _until(self.starts, self.top)

  def take(self, log, starts):
    """Takes up the whole lines that follow."""
    self.starts = starts
    log.seek(self.offset)
    for line in log:
      if not line.endswith(b'\n'):
        break
      self.offset += len(line)
      row = files.row_of(line)
      self.whole = self.whole and row is not None
      if row is not None:
        self._add(row)
    self.edge = self._edge(log)

  def _edge(self, log):
    log.seek(max(0, self.offset - EDGE))
    return _hash(log.read(min(self.offset, EDGE)))

  def _add(self, row):
    changes = _until(self.starts, row['step'])
    changed = dict(changes)
    kind = self.kinds.setdefault(_kind_of(row, len(changes)), averaging.Kind())
    kind.add(averaging.Entry(self.count, 1, row))
    self.count, self.top = self.count + 1, max(self.top, row['step'])
    for name, value in row.items():
      mean = value if type(value) is float else text.mean(value)
      if mean is not None and name != 'step':
        before = self.best.get(name)
        if before and before.least[1] < changed.get(name, 0):
          before = None  # of another protocol
        self.best[name] = _better(before, mean, row['step'])

  def as_json(self) -> list:
    """Lists of JSON, from which of_json makes it again."""
    kinds = [
      [key[0], kind.size, kind.entries, kind.newer, kind.last]
      for key, kind in self.kinds.items()
    ]
    read = [self.offset, self.edge, self.whole, self.top, self.count]
    return [*read, self.starts, kinds, self.best]

  @classmethod
  def of_json(cls, document: list) -> '_State':
    """The state that as_json has been taken of."""
    one = cls()
    *read, starts, kinds, best = document
    one.offset, one.edge, one.whole, one.top, one.count = read
    one.starts = [tuple(start) for start in starts]
    for era, size, *parts, last in kinds:
      parts = [[averaging.Entry(*entry) for entry in part] for part in parts]
      kind = averaging.Kind(size, *parts, averaging.Entry(*last))
      one.kinds[_kind_of(kind.last.row, era)] = kind
    one.best = {
      name: Best(tuple(least), tuple(most), last)
      for name, (least, most, last) in best.items()
    }
    return one


def _kind_of(row, era):
  seeds = lambda value: len(value) if isinstance(value, list) else 0
  return era, frozenset((name, seeds(value)) for name, value in row.items())


def _until(starts, step):
  """Those of [(name, step)] that hold at a step."""
  return [(name, since) for name, since in starts if since <= step]


def _better(before, mean, step):
  here = mean, step
  if before is None:
    return Best(here, here, mean)
  # Of equal ones the earliest, whatever order the rows have.
  least = min(before.least, here)
  most = max(before.most, here, key=lambda one: (one[0], -one[1]))
  return Best(least, most, mean)


def _hash(data):
  return hashlib.sha256(data).hexdigest()


def _save(path, state):
  document = json.dumps(state.as_json(), allow_nan=False)
  files.write_text(path, f'{_seal(document)}\n{document}\n')


def _read(path) -> _State:
  """What is kept in a file; nothing where it is not as it was written."""
  try:
    seal, document = path.read_text('utf-8').split('\n')[:2]
    if seal == _seal(document):
      return _State.of_json(json.loads(document))
  except (OSError, ValueError, RecursionError):
    pass
  return _State()


def _seal(document):
  return _hash(f'{FORMAT} {document}'.encode())
