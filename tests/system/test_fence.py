#!/usr/bin/env python3
"""The fence around a real daemon's database: where it stands, who may read it, and what the daemon says of an old copy, of a
copy in another place, of a lost fence, and where none can be written."""

import json
import os
import shutil
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand


def fences(home):
    return [os.path.join(d, f) for d in (home.state, home.runtime) for f in (os.listdir(d) if os.path.isdir(d) else [])]


def said(node, what):
    return what in open(node.log).read()


def start(node):
    """With a log that tells of this start alone; the one before is still held against the canaries."""
    if os.path.exists(node.log):
        os.rename(node.log, f"{node.log}.{time.monotonic_ns()}")
    node.start()


def again(node):
    assert node.end() == 0
    start(node)


def put_back(saved, node):
    """Over the very files, as many tools do: the same inode, older content."""
    for name in ("focal.db", "focal.db-wal", "focal.db-shm"):
        if os.path.exists(os.path.join(saved, name)):
            shutil.copyfile(os.path.join(saved, name), os.path.join(node.dir, name))
        elif os.path.exists(os.path.join(node.dir, name)):
            os.unlink(os.path.join(node.dir, name))


def main():
    with hand.Home() as home:
        own = os.path.join(home.dir, "home")
        os.mkdir(own)
        os.environ["HOME"] = own
        os.environ["XDG_RUNTIME_DIR"] = os.path.join(home.dir, "run")
        del os.environ["XDG_STATE_HOME"]
        home.state, home.runtime = os.path.join(own, ".local/state/focal-fence"), os.path.join(home.dir, "run/focal-fence")
        secret = home.file("passphrase", "correct horse battery staple\n")
        hq = home.node("HQ")
        hq.setup("--role", "hq", "--network", "Fenced", "--office", "HQ", "--listen", f"127.0.0.1:{hand.free_port()}", "--passphrase-file", secret)
        assert not fences(home), "setup makes no fence"
        start(hq)
        assert not said(hq, "fence"), open(hq.log).read()
        hand.new_case(home, hq)
        here = fences(home)
        assert len(here) == 2, here
        for path in here:
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
            assert os.path.getsize(path) == 8192
        again(hq)
        assert not said(hq, "fence"), open(hq.log).read()
        print("a fence in two places, and an ordinary start")

        assert hq.end() == 0
        saved = os.path.join(home.dir, "saved")
        shutil.copytree(hq.dir, saved, ignore=shutil.ignore_patterns("*.sock"))
        start(hq)
        hand.new_case(home, hq)
        assert hq.end() == 0
        put_back(saved, hq)
        start(hq)
        assert said(hq, "an older copy of what was last written here"), open(hq.log).read()
        print("an old copy put back is named")

        shutil.rmtree(home.runtime)         # as a restart of the machine does
        hand.new_case(home, hq)
        again(hq)
        assert not said(hq, "fence"), open(hq.log).read()
        for path in fences(home):
            os.unlink(path)
        again(hq)
        assert said(hq, "has no fence here"), open(hq.log).read()
        hand.new_case(home, hq)
        assert hq.end() == 0
        copy = home.node("COPY")
        shutil.copytree(hq.dir, copy.dir, ignore=shutil.ignore_patterns("*.sock"))
        copy.socket = os.path.join(copy.dir, "control.sock")
        start(copy)
        assert said(copy, "has no fence here"), open(copy.log).read()
        assert copy.end() == 0
        print("a lost fence and a copy in another place are named")

        for name in ("HOME", "XDG_RUNTIME_DIR"):
            os.environ[name] = hq.dir       # in the office's own directory it would be copied with it
        start(hq)
        assert said(hq, "no fence can be written"), open(hq.log).read()
        assert json.loads(hand.run(hand.FOCALCTL, "--socket", hq.socket, "status", "--json").stdout)["store"]["state"] == "ok"
        assert not os.path.exists(os.path.join(hq.dir, ".local")) and not os.path.exists(os.path.join(hq.dir, "focal-fence"))
        print("where no fence can be written, it says so")


if __name__ == "__main__":
    main()
