"""Turns into a server that cannot outlive the hub: run as ``python launch.py``, never imported.

``launch.py PARENT SIGNAL OWNED COMMAND...`` asks the kernel for SIGNAL at the death of PARENT, and
then *becomes* COMMAND (exec: no process stays in between). Standard library alone, so that it
starts in 40 ms with ``-I -S``; a `preexec_fn` would run Python code in a forked, threaded process.

OWNED is "" or the folder of a server that refuses to run as root (PostgreSQL does). Then, as root:

1. in a user namespace that maps root to `nobody`, the server sees itself as nobody while its
   files stay root's: it reads folders that only root may enter, and nothing has to be chowned;
2. where namespaces are refused (a container's default seccomp profile), OWNED is given to `nobody`,
   and the server becomes nobody, keeping CAP_DAC_OVERRIDE alone so that it can still reach OWNED.
   ``CROSSDOCK_NO_NAMESPACE=1`` chooses this way.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h, as the three below
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1  # linux/capability.h, as the version below
_CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    """Become the server; returns only by an exception, which ends this process with status 1."""
    parent, signal, owned, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if owned and os.geteuid() == 0:
        _stop_being_root(libc, Path(owned))
    if sys.platform == "linux":
        # After the change of user, which would clear it.
        libc.prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)  # the hub died before the line above
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


def _stop_being_root(libc: ctypes.CDLL, owned: Path) -> None:
    refused = os.environ.get("CROSSDOCK_NO_NAMESPACE") == "1" or sys.platform != "linux"
    if not refused:
        _give(owned, 0)  # an earlier start may have gone the second way
    if not refused and libc.unshare(_CLONE_NEWUSER) == 0:
        # user_namespaces(7): without "deny" the group map may not be written.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1")
        return
    _give(owned, NOBODY)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    if sys.platform == "linux":
        _keep_file_access(libc)


def _give(folder: Path, owner: int) -> None:
    """Give a tree to `owner`, the top folder last: it then says that all of it is given."""
    if folder.stat().st_uid == owner:
        return
    for parent, _, files in os.walk(folder, topdown=False):
        for path in (*(str(Path(parent, name)) for name in files), parent):
            os.chown(path, owner, owner, follow_symlinks=False)


def _keep_file_access(libc: ctypes.CDLL) -> None:
    """Carry CAP_DAC_OVERRIDE through the exec; a failure shows as the server's own error."""
    mask = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; each 64-bit set is two words.
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, sets) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
