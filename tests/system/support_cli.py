"""Shared by the scripts that try real programs: where they are, how one is run, and where the daemons keep their fences."""
import atexit
import os
import shutil
import subprocess
import tempfile

import support_canary

atexit.register(support_canary.finish)      # first, so that it is last: it may end the program

BIN = os.environ.get("FOCAL_BIN_DIR", "")
CTL = os.path.join(BIN, "focalctl")
DAEMON = os.path.join(BIN, "focald")
# Daemons write outside of their directories too; what they write there is this run's own, and goes with it.
OWN = tempfile.mkdtemp(prefix="focal-own-")
atexit.register(shutil.rmtree, OWN, ignore_errors=True)
os.environ.update(XDG_STATE_HOME=OWN + "/state", XDG_RUNTIME_DIR=OWN + "/run")
REF = "KEN-4F7Q-29XD-8"


def run(*args, stdin=b"", env=None, timeout=60):
    whole = dict(os.environ, TERM="dumb", **(env or {}))
    for name in ("FOCAL_SOCKET", "NO_COLOR"):
        if not env or name not in env:
            whole.pop(name, None)
    done = subprocess.run([CTL, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=whole, timeout=timeout)
    done.out, done.err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return done
