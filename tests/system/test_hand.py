#!/usr/bin/env python3
"""A headquarters and two offices in three directories, set up by hand as the README says, and what must then hold:
a case entered at one is at the others, kill -9 loses nothing acknowledged, one field edited on both sides of a cut link
shows two versions until one person decides, every history verifies, and wrong input is refused with the right code."""

import hashlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import support_canary
import support_cli  # noqa: F401  the daemons' fences stay out of the home of who runs this

BIN = os.environ["FOCAL_BIN_DIR"]
FOCALD, FOCALCTL = os.path.join(BIN, "focald"), os.path.join(BIN, "focalctl")
PATIENCE = 60           # s, for anything that must happen; never slept through
IMPORT_ROWS = 4000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, look, patience=PATIENCE):
    """Looks again and again until look() is true; gives back what it gave."""
    end = time.monotonic() + patience
    while True:
        got = look()
        if got:
            return got
        assert time.monotonic() < end, f"waited {patience} s for {what}"
        time.sleep(0.02)


def run(*argv, code=0, **more):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **more)
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, f"{' '.join(argv)}: exit {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    return done


def sql(node, text):
    """The first column of what a stopped office's database says; its store key is plain."""
    return run(os.path.join(BIN, "..", "tests", "focal_sql"), node.dir, text).stdout.split()


def opened(directory):
    """Every page of an office's database and log as it is behind its encryption; the daemon may run."""
    return subprocess.run([os.path.join(BIN, "..", "tests", "focal_sql"), directory, "pages"], capture_output=True, timeout=120, check=True).stdout


class Node:
    def __init__(self, home, code):
        self.code, self.dir = code, os.path.join(home, code)
        self.log = self.dir + ".log"
        self.focald, self.focalctl = FOCALD, FOCALCTL
        self.process = None
        self.env = None         # None: this program's own

    def setup(self, *options):
        said = json.loads(run(self.focald, "setup", "--dir", self.dir, *options, "--no-input", "--json").stdout)
        self.socket = said["socket"]
        with open(os.path.join(self.dir, "focald.conf"), "a") as conf:
            conf.write("\n[log]\nlevel = debug\n")         # all that it says is held against the canaries
        return said

    def start(self):
        assert self.process is None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.focald, "run", "--dir", self.dir], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        until(f"{self.code} to answer", lambda: self.process.poll() is not None or self.answers())
        assert self.process.poll() is None, f"{self.code} ended: {open(self.log).read()[-2000:]}"

    def answers(self):
        return subprocess.run([FOCALCTL, "--socket", self.socket, "status", "--json"], capture_output=True).returncode == 0

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def ctl(self, *words, code=0):
        """focalctl ... --json; the answer, or the error when it must fail."""
        done = run(self.focalctl, "--socket", self.socket, *words, "--json", code=code)
        if done.returncode in (0, 3):
            return json.loads(done.stdout) if done.stdout.strip() else None
        error = json.loads(done.stderr)["error"]
        assert error["exit"] == done.returncode, error
        assert error["message"], error
        return error

    def show(self, ref):
        done = subprocess.run([self.focalctl, "--socket", self.socket, "case", "show", ref, "--json"], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None


class Home:
    """The directory and what runs in it; nothing of it is left behind."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="fh-", dir="/tmp")
        self.nodes = []
        return self

    def node(self, code):
        self.nodes.append(Node(self.dir, code))
        return self.nodes[-1]

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)
        return path

    def __exit__(self, kind, *_):
        for n in self.nodes:
            if n.process:
                n.process.kill()
                n.process.wait()
            if kind and os.path.exists(n.log):
                print(f"--- last lines of {n.code}'s log\n" + "".join(open(n.log, errors="replace").readlines()[-20:]), file=sys.stderr)
            if not kind and os.path.isdir(n.dir):
                support_canary.files_of(n.dir, n.code, opened)
        shutil.rmtree(self.dir, ignore_errors=True)


def bring_in(home, hq, secret, code, country=None, *options):
    """invite, setup, run, admit: in the README's order."""
    token = hq.ctl("office", "invite", code, "--country", country or code, *options)["token"]
    node = home.node(code)
    said = node.setup("--join-file", home.file(code + ".invitation", token + "\n"), "--listen", "127.0.0.1:0")
    assert len(said["words"]) == 8, said
    assert said["office"] == code and said["role"] == "office", said
    node.start()
    until(f"{code} to knock", lambda: any(r["id"] == code and r.get("state") == "waiting" for r in hq.ctl("office", "list")["items"]))
    # Words read out wrongly admit nobody.
    wrong = home.file("wrong.words", " ".join(reversed(said["words"])) + "\n")
    refused = run(FOCALCTL, "--socket", hq.socket, "office", "admit", code, "--words-file", wrong, "--passphrase-file", secret, "--no-input",
                  "--json", code=(1, 6))
    assert json.loads(refused.stderr)["error"]["message"]
    words = home.file(code + ".words", " ".join(said["words"]) + "\n")
    admitted = hq.ctl("office", "admit", code, "--words-file", words, "--passphrase-file", secret, "--no-input")
    assert admitted["office"] == code and admitted["admitted"] is True, admitted
    return node


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    said = hq.setup("--role", "hq", "--network", "By hand", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    assert said["role"] == "hq" and said["office"] == "HQ", said
    run(FOCALD, "setup", "--role", "hq", "--network", "Again", "--office", "HQ", "--dir", hq.dir, "--passphrase-file", secret, "--no-input",
        code=tuple(range(1, 100)))      # what is there is not overwritten
    hq.start()
    ken, ssd = bring_in(home, hq, secret, "KEN"), bring_in(home, hq, secret, "SSD")
    for n in (ken, ssd):
        until(f"the link of {n.code} with HQ", lambda n=n: any(o["code"] == "HQ" and o["link"] == "up" for o in n.ctl("status")["offices"]))
    return hq, ken, ssd


CASE = {"country": "KEN", "received_quarter": "2018-Q2", "allegation_type": "sexual_abuse", "entity_class": "ngo",
        "victims": [{"sex": "female", "age": "child"}, {"sex": "female", "age": "child"}], "perpetrators": [{"sex": "male", "count": "1"}]}


def new_case(home, node, **more):
    return node.ctl("case", "new", "--from", home.file(f"case-{node.code}.json", json.dumps(CASE | more)))


def entered_once_seen_everywhere(home, nodes):
    hq, ken, ssd = nodes
    made = new_case(home, ken, concerned_entity=secrets.token_hex(32))        # of the country: no file of another office may hold it
    assert made["id"].startswith("KEN-"), made
    for n in nodes:
        seen = until(f"{made['id']} at {n.code}", lambda n=n: n.show(made["id"]))
        assert seen["record"] == made["record"] and not seen["conflicts"], seen
        assert seen["fields"]["allegation_type"] == "sexual_abuse", seen
        assert len(seen["fields"]["victims"]) == 2, "equal rows are two victims"
    until("receipts of the case", lambda: all(s["seen"] for s in ken.show(made["id"])["seen_by"]))
    return made["id"]


def killed_in_mid_import(home, nodes):
    """Everything that was answered before kill -9 is there after the restart, and reaches the others."""
    hq, ken, ssd = nodes
    chance = random.Random(7)
    types, statuses = ["sexual_exploitation", "sexual_abuse", "other", "unknown"], ["received", "under_investigation", "substantiated"]
    rows = ["country,received_quarter,allegation_type,status,victims"]
    rows += [f"KEN,2019-Q{chance.randint(1, 4)},{chance.choice(types)},{chance.choice(statuses)},female.adult;male.child" for _ in range(IMPORT_ROWS)]
    bulk = home.file("bulk.csv", "\n".join(rows) + "\n")
    acknowledged, stop = [], threading.Event()
    path = home.file("live.json", json.dumps(CASE))

    def enter():
        while not stop.is_set():
            done = subprocess.run([FOCALCTL, "--socket", ken.socket, "case", "new", "--from", path, "--json"], capture_output=True, text=True)
            if done.returncode == 0:
                acknowledged.append(json.loads(done.stdout)["record"])

    writer = threading.Thread(target=enter)
    writer.start()
    try:
        before = ken.ctl("verify")["entries"]
        until("the first live case", lambda: len(acknowledged) >= 3)
        importing = subprocess.Popen([FOCALCTL, "--socket", ken.socket, "import", bulk, "--kind", "case", "--json"], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
        live = len(acknowledged)
        until("a live case during the import", lambda: len(acknowledged) > live or importing.poll() is not None)
        ken.end(signal.SIGKILL)
    finally:
        stop.set()
        writer.join()
    out, _ = importing.communicate(timeout=60)
    assert acknowledged and before > 0
    ken.start()
    for record in acknowledged:
        assert ken.show(record), f"{record} was acknowledged and is gone"
    if importing.returncode == 0:
        assert json.loads(out)["new"] == IMPORT_ROWS
        assert ken.ctl("verify")["entries"] >= before + IMPORT_ROWS
    assert not ken.ctl("verify")["errors"]
    # A second try must work, and be all there.
    said = ken.ctl("import", bulk, "--kind", "case")
    assert said["new"] == IMPORT_ROWS and not said["refused"], said
    at_ease(nodes)
    for n in (hq, ssd):
        for record in acknowledged[:3] + acknowledged[-3:]:
            assert n.show(record), f"{record} did not reach {n.code}"


def at_ease(nodes):
    """Until every node holds what the others hold: digests equal, scope by scope."""
    def equal():
        checks = [n.ctl("verify") for n in nodes]
        for c in checks:
            assert not c["errors"], c["errors"]
            assert {"control", "network"} <= set(c["digests"]), c
        return all(len({c["digests"][scope] for c in checks if scope in c["digests"]}) == 1 for scope in {s for c in checks for s in c["digests"]})
    until("equal digests", equal)


def two_versions(nodes, ref):
    hq, ken, ssd = nodes
    for other in ("HQ", "SSD"):
        ken.ctl("office", "pause", other)
    until("the cut", lambda: all(o["link"] == "paused" for o in ken.ctl("status")["offices"]))
    ken.ctl("case", "update", ref, "--set", "status=under_investigation")
    ssd.ctl("case", "update", ref, "--set", "status=closed_other")
    ken.ctl("case", "update", ref, "--set", "entity_class=contractor")         # another field: no version of anything
    assert ken.show(ref)["fields"]["status"] == "under_investigation" and not ken.show(ref)["conflicts"]
    until("the edit at HQ", lambda: hq.show(ref)["fields"].get("status") == "closed_other")
    version = ken.show(ref)["version"]
    for other in ("HQ", "SSD"):
        ken.ctl("office", "resume", other)
    for n in nodes:
        conflict = until(f"two versions at {n.code}", lambda n=n: n.show(ref)["conflicts"])
        assert set(conflict) == {"status"}, conflict
        assert {(v["value"], v["office"]) for v in conflict["status"]} == {("under_investigation", "KEN"), ("closed_other", "SSD")}, conflict
        assert any(ref in json.dumps(need) for need in n.ctl("status")["needs_you"]), "status must ask for a decision"
    # Somebody who has not seen the second version must look first.
    stale = ken.ctl("case", "update", ref, "--set", "status=received", "--if-version", version, code=7)
    assert stale["message"]
    ssd.ctl("case", "resolve", ref, "status", "--take-office", "KEN")
    for n in nodes:
        until(f"one version at {n.code}", lambda n=n: not n.show(ref)["conflicts"])
        fields = n.show(ref)["fields"]
        assert fields["status"] == "under_investigation" and fields["entity_class"] == "contractor", fields


def wrong_input(home, nodes):
    hq, ken, _ = nodes
    entries = ken.ctl("verify")["entries"]
    assert ken.ctl("case", "show", "KEN-0000-0000-0", code=4)["code"].startswith("FD-")
    run(FOCALCTL, "--socket", ken.socket, "case", "shwo", "x", code=2)
    run(FOCALCTL, "--socket", ken.socket, "nonsense", code=2)
    run(FOCALCTL, "--socket", os.path.join(home.dir, "nobody.sock"), "status", code=5)
    for name, text, names in [("code", json.dumps(CASE | {"allegation_type": "rudeness"}), "allegation_type"),
                              ("field", json.dumps(CASE | {"hair": "red"}), "hair"),
                              ("date", json.dumps(CASE | {"received_date": "1944-01-01"}), "received_date"),
                              ("country", json.dumps(CASE | {"country": "Kenya"}), "country"),
                              ("json", "{\"country\":", "line")]:
        refused = ken.ctl("case", "new", "--from", home.file(f"wrong-{name}.json", text), code=1)
        assert names in refused["message"], (name, refused)
    good, bad = "KEN,2018-Q2,sexual_abuse", "KEN,2018-Q2,rudeness"
    half = home.file("half.csv", "\n".join(["country,received_quarter,allegation_type", good, bad, good]) + "\n")
    for dry in ((), ("--dry-run",)):
        said = json.loads(run(FOCALCTL, "--socket", ken.socket, "import", half, "--kind", "case", *dry, "--json", code=1).stdout)
        assert [(r["line"], r["field"]) for r in said["refused"]] == [(3, "allegation_type")], said
        assert ken.ctl("verify")["entries"] == entries, "nothing of a refused import is written"
    rejects = os.path.join(home.dir, "rejects.csv")
    part = ken.ctl("import", half, "--kind", "case", "--rejects", rejects, code=3)
    assert part["new"] == 2 and len(part["refused"]) == 1 and part["refused"][0]["line"] == 3, part
    assert "rudeness" in open(rejects).read()


def second_daemon(nodes):
    ken = nodes[1]
    refused = run(FOCALD, "run", "--dir", ken.dir, code=tuple(range(1, 126)))
    assert len(refused.stderr.strip()) > 20, "refused without a sentence"
    assert ken.answers(), "the first daemon goes on"


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def damaged(nodes):
    """A damaged database is named, exit 65, and not a byte of it is touched."""
    ssd = nodes[2]
    assert ssd.end() == 0, "TERM is a clean end"
    path = os.path.join(ssd.dir, "focal.db")
    whole = open(path, "rb").read()
    for at, length in ((0, 64), (len(whole) // 2, 8192)):
        hurt = bytearray(whole)
        hurt[at:at + length] = bytes((i * 37 + 11) & 255 for i in range(length))
        open(path, "wb").write(hurt)
        before = digest(path)
        refused = run(FOCALD, "run", "--dir", ssd.dir, code=65)
        assert os.path.basename(path) in refused.stderr, refused.stderr
        assert digest(path) == before, "a damaged database was written to"
    open(path, "wb").write(whole)
    ssd.start()


def main():
    with Home() as home:
        nodes = found(home)
        ref = entered_once_seen_everywhere(home, nodes)
        print("a case entered at one is at the others")
        killed_in_mid_import(home, nodes)
        print("kill -9 in mid-import lost nothing acknowledged")
        two_versions(nodes, ref)
        print("two versions on both sides, one decision ended it")
        wrong_input(home, nodes)
        print("wrong input is refused with its code")
        at_ease(nodes)
        second_daemon(nodes)
        damaged(nodes)
        at_ease(nodes)
        print("every history verifies, digests equal scope by scope")
        for n in nodes:
            assert n.end() == 0, f"{n.code} did not end cleanly"


if __name__ == "__main__":
    main()
