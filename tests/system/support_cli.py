"""Shared by the scripts that try focalctl: where the programs are, and how one is run."""
import os
import subprocess

BIN = os.environ.get("FOCAL_BIN_DIR", "")
CTL = os.path.join(BIN, "focalctl")
DAEMON = os.path.join(BIN, "focald")
REF = "KEN-4F7Q-29XD-8"


def run(*args, stdin=b"", env=None, timeout=60):
    whole = dict(os.environ, TERM="dumb", **(env or {}))
    for name in ("FOCAL_SOCKET", "NO_COLOR"):
        if not env or name not in env:
            whole.pop(name, None)
    done = subprocess.run([CTL, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=whole, timeout=timeout)
    done.out, done.err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return done
