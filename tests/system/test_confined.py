#!/usr/bin/env python3
"""What a daemon that somebody took over could still do: it reaches no file but its own, starts no program, shows its memory to
no other process of its user and leaves no core; the shipped unit confines it further, at an exposure of at most 1.5, and
allows every system call the daemon keeps for itself; and confined so, it finds its peers by name and works on."""

import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from test_hand import run, until

UNIT = os.path.join(os.environ["FOCAL_SOURCE_DIR"], "systemd/focald.service")
LIST = os.path.join(os.environ["FOCAL_SOURCE_DIR"], "src/io/confine_calls.c")
EXPOSURE_MOST = 1.5


def proc(node, name):
    return open(f"/proc/{node.process.pid}/{name}").read()


def status_of(node):
    return dict(line.split(":\t", 1) for line in proc(node, "status").splitlines())


def confined_by_itself(node):
    status = status_of(node)
    log = open(node.log).read()
    if "no seccomp" in log or "no Landlock" in log:
        print("this kernel lacks what confines:", [line for line in log.splitlines() if "this kernel" in line])
    if "(seccomp)" in log:
        assert status["Seccomp"].strip() == "2", status
    if "(Landlock" in log or "(seccomp)" in log:
        assert status["NoNewPrivs"].strip() == "1", status
    core = [line for line in proc(node, "limits").splitlines() if line.startswith("Max core file size")][0].split()
    assert core[4:6] == ["0", "0"], core
    # Not dumpable: its files in /proc belong to root, whoever runs it.
    assert os.stat(f"/proc/{node.process.pid}/mem").st_uid == 0


def shows_its_memory_to_nobody(node):
    """Another process of the same user; root may look anywhere, so it takes that user's place."""
    reader = [sys.executable, "-c", f"open('/proc/{node.process.pid}/mem','rb')"]
    if os.geteuid() == 0:
        reader = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--reuid=65534", "--regid=65534", "--clear-groups"] + reader
    refused = subprocess.run(reader, capture_output=True, text=True)
    assert refused.returncode != 0 and "PermissionError" in refused.stderr, refused


def leaves_no_core(home, node):
    before = set(os.listdir(node.dir)) | set(os.listdir(home.dir))
    assert node.end(signal.SIGQUIT) == -signal.SIGQUIT
    left = (set(os.listdir(node.dir)) | set(os.listdir(home.dir))) - before
    assert not [name for name in left if "core" in name], left
    node.start()


def has_its_fence(node):
    """In places that are not there before, and whose names begin like that of the office's directory."""
    assert node.end() == 0
    before, node.env = node.env, dict(os.environ, XDG_STATE_HOME=node.dir + "-state", XDG_RUNTIME_DIR=node.dir + "-run")
    node.start()
    for place in (node.dir + "-state/focal-fence", node.dir + "-run/focal-fence"):
        assert os.path.isdir(place) and os.listdir(place), place
    assert node.end() == 0
    node.env = before
    node.start()


def by_name(home):
    """Two nodes that know each other as localhost: resolving a name reads files and loads code while confined."""
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    port = hand.free_port()
    hq.setup("--role", "hq", "--network", "Confined", "--office", "HQ", "--listen", f"127.0.0.1:{port}", "--advertise", f"localhost:{port}",
             "--passphrase-file", secret)
    hq.start()
    ken = hand.bring_in(home, hq, secret, "KEN")
    until("the link by name", lambda: any(o["code"] == "HQ" and o["link"] == "up" for o in ken.ctl("status")["offices"]))
    made = hand.new_case(home, ken)
    until("the case at HQ", lambda: hq.show(made["id"]))
    return hq, ken


def calls_of_the_daemon():
    text = open(LIST).read()
    named = re.findall(r"\b(CALL|ONLY)\((\w+)[,)]", text)
    calls = {name for kind, name in named if name != "name"}
    assert len(calls) > 100, "the list was not found in its file"
    return calls


def calls_of(word, seen=None):
    """A set of systemd's, with the sets in it."""
    seen = seen if seen is not None else set()
    if word in seen:
        return set()
    seen.add(word)
    if not word.startswith("@"):
        return {word}
    out = set()
    for line in run("systemd-analyze", "syscall-filter", word).stdout.splitlines()[1:]:
        line = line.strip()
        if line and not line.startswith("#"):
            out |= calls_of(line, seen)
    return out


def calls_of_the_unit():
    allowed = set()
    for line in open(UNIT):
        if line.startswith("SystemCallFilter="):
            words = line.split("=", 1)[1].strip()
            sets = [calls_of(w) for w in words.lstrip("~").split()]
            allowed = allowed - set().union(*sets) if words.startswith("~") else allowed | set().union(*sets)
    return allowed


def unit_is_tight():
    said = run("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE_MOST * 10)}", UNIT).stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said).group(1))
    assert exposure <= EXPOSURE_MOST, said
    # and the gate can fail
    loose = open(UNIT).read().replace("NoNewPrivileges=yes", "NoNewPrivileges=no").replace("ProtectSystem=strict", "ProtectSystem=no")
    path = os.path.join(os.environ["TMPDIR_OF_TEST"], "focald.service")
    open(path, "w").write(loose)
    run("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE_MOST * 10)}", path, code=1)
    # What the daemon keeps for itself, the unit must let it have.
    missing = calls_of_the_daemon() - calls_of_the_unit()
    assert not missing, f"the unit forbids what the daemon needs: {sorted(missing)}"
    print(f"exposure {exposure}")


def main():
    with hand.Home() as home:
        os.environ["TMPDIR_OF_TEST"] = home.dir
        hq, ken = by_name(home)
        for n in (hq, ken):
            confined_by_itself(n)
            shows_its_memory_to_nobody(n)
        leaves_no_core(home, ken)
        has_its_fence(hq)
        again = hand.new_case(home, ken)
        until("a case after the restart at HQ", lambda: hq.show(again["id"]))
        assert hq.ctl("verify")["errors"] == []
        unit_is_tight()
    print("ok")


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        sys.exit("systemd-analyze is missing: see .ci/packages")
    main()
