"""Signals are heard while the interpreter is busy elsewhere."""

import signal
import subprocess
import sys
import time
from concurrent import futures

import pytest

from gan_jax.run.signals import LAST_SECONDS

# The main thread is in one call of C that no signal ends, as in a compilation:
# it waits for a lock that it has. SIGALRM ends the process in any case.
BUSY = """
import ctypes, signal, sys, threading, time
from gan_jax.run import signals
def last():
  print('last', flush=True)
  time.sleep(60 if 'hung' in sys.argv else 0)
signals.GRACE_SECONDS = float(sys.argv[1])
with signals.catch_signals(), signals.nothing_to_save(last) as got_on:
  if 'busy' in sys.argv:
    got_on()
  signal.alarm(60)
  threading.Timer(.5, print, ('ready',), {'flush': True}).start()
  c, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(256)
  c.pthread_mutex_init(mutex, None)
  c.pthread_mutex_lock(mutex)
  c.pthread_mutex_lock(mutex)
"""


GRACE, PATIENCE = 0.5, 50  # seconds
# One that waits has no end to be waited for: any slower machine agrees.
BRIEF = GRACE + LAST_SECONDS + 1


def signalled(signums, word, patience):
  """(exit code, seconds it took, what was said) of the busy process."""
  with subprocess.Popen(
    [sys.executable, '-c', BUSY, str(GRACE), word],
    stdout=subprocess.PIPE,
    text=True,
  ) as process:
    try:
      assert process.stdout.readline() == 'ready\n'
      begin = time.monotonic()
      for signum in signums:
        process.send_signal(signum)
        time.sleep(0.2)
      code = process.wait(patience)
      return code, time.monotonic() - begin, process.stdout.read()
    finally:
      process.kill()


WAYS = {
  'idle': ([signal.SIGTERM], '', PATIENCE),
  'hung': ([signal.SIGTERM], 'hung', PATIENCE),
  'busy': ([signal.SIGTERM], 'busy', BRIEF),
  'busy, twice': ([signal.SIGTERM, signal.SIGINT], 'busy', PATIENCE),
}


@pytest.fixture(scope='module')
def ends():
  """{way: future of how it ends}; all at once, as most of it is waiting."""
  with futures.ThreadPoolExecutor(len(WAYS)) as pool:
    yield {way: pool.submit(signalled, *told) for way, told in WAYS.items()}


@pytest.mark.parametrize('disk', ['idle', 'hung'])
def test_a_first_signal_ends_what_has_nothing_to_save(disk, ends):
  code, seconds, said = ends[disk].result()
  assert code == 128 + signal.SIGTERM and seconds < 40
  assert 'the same command goes on' in said and said.endswith('last\n')


def test_a_second_signal_ends_it_at_once(ends):
  code, seconds, said = ends['busy, twice'].result()
  assert code == 128 + signal.SIGINT and seconds < 40 and said == ''


def test_a_first_signal_waits_for_what_has_to_be_saved(ends):
  with pytest.raises(subprocess.TimeoutExpired):
    ends['busy'].result()
