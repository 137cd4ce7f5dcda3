"""Small file systems that are full, read-only or over quota; for tests."""

import errno
import os
import subprocess

import pytest

from tests.storage.damaging import open_folder


class Disk:
  """A small file system of one's own."""

  def __init__(self, path):
    self.path = path

  def mount(self, *options):
    done = subprocess.run(
      ['mount', '-o', ','.join(options), *self._of(options), self.path],
      capture_output=True,
      text=True,
    )
    if done.returncode:
      pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')

  def _of(self, options):
    return [] if 'remount' in options else ['-t', 'tmpfs', 'tmpfs']

  def fill(self, *, leave=0):
    """Takes all room but for so many pages."""
    self.free()
    about = os.statvfs(self.path)
    room = (about.f_bavail - leave) * about.f_bsize
    try:
      (self.path / 'fill').write_bytes(bytes(max(room, 0)))
    except OSError as error:  # a save beside it has taken some: it is full
      if error.errno != errno.ENOSPC:
        raise

  def free(self):
    (self.path / 'fill').unlink(missing_ok=True)

  def read_only(self):
    self.mount('remount', 'ro')

  def writable(self):
    self.mount('remount', 'rw')


@pytest.fixture
def disk():
  if os.geteuid():
    pytest.skip('only root mounts file systems')
  with open_folder() as folder:
    path = folder / 'disk'
    path.mkdir()
    found = Disk(path)
    found.mount('size=8m')
    yield found
    subprocess.run(['umount', '-l', path], capture_output=True)
