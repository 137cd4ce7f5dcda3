"""Signals are heard while the interpreter is busy elsewhere."""

import signal
import subprocess
import sys
import time

import pytest

# The main thread is in one call of C, as in a compilation, for half a minute.
BUSY = """
import hashlib, sys, threading, time
from gan_jax.run import signals
def last():
  print('last', flush=True)
  time.sleep(60 if 'hung' in sys.argv else 0)
with signals.catch_signals(), signals.nothing_to_save(last) as got_on:
  if 'busy' in sys.argv:
    got_on()
  threading.Timer(.5, print, ('ready',), {'flush': True}).start()
  hashlib.pbkdf2_hmac('sha256', b'', b'', 10**8)
"""


def signalled(*signums, argv=()):
  """(exit code, seconds it took, what was said) of the busy process."""
  with subprocess.Popen(
    [sys.executable, '-c', BUSY, *argv], stdout=subprocess.PIPE, text=True
  ) as process:
    try:
      assert process.stdout.readline() == 'ready\n'
      begin = time.monotonic()
      for signum in signums:
        process.send_signal(signum)
        time.sleep(0.2)
      code = process.wait(6)
      return code, time.monotonic() - begin, process.stdout.read()
    finally:
      process.kill()


@pytest.mark.parametrize('disk', ['', 'hung'])
def test_a_first_signal_ends_what_has_nothing_to_save(disk):
  code, seconds, said = signalled(signal.SIGTERM, argv=[disk])
  assert code == 128 + signal.SIGTERM and seconds < 10
  assert 'the same command goes on' in said and said.endswith('last\n')


def test_a_second_signal_ends_it_at_once():
  signums = signal.SIGTERM, signal.SIGINT
  code, seconds, said = signalled(*signums, argv=['busy'])
  assert code == 128 + signal.SIGINT and seconds < 3 and said == ''


def test_a_first_signal_waits_for_what_has_to_be_saved():
  with pytest.raises(subprocess.TimeoutExpired):
    signalled(signal.SIGTERM, argv=['busy'])
