#!/usr/bin/env python3
"""An office on a disk that fills up and then fails, beside a headquarters that has room: other offices' entries wait first,
memberships still come through, what is entered is kept out of the reserve and then refused with a sentence, reading goes
on, nothing acknowledged is missing and nothing refused is there, and with room again both become equal by themselves.
A disk that cannot write stops the daemon with a sentence and exit code 74."""

import json
import os
import resource
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import support_canary
import test_hand as hand
from test_hand import FOCALCTL, FOCALD, until

MIB = 1 << 20
SMALL = "72m"
WRITE_LIMIT = 256 << 10         # bytes of any one file of the daemon whose disk fails


class SmallDisk:
    """A tmpfs, and a file in it that takes the room away."""

    def __init__(self, home):
        self.dir = os.path.join(home.dir, "small")
        os.mkdir(self.dir)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL},mode=0700", "tmpfs", self.dir], check=True)
        self.filler = os.open(os.path.join(self.dir, "filler"), os.O_RDWR | os.O_CREAT, 0o600)
        self.filled = 0

    def left(self):
        is_ = os.statvfs(self.dir)
        return is_.f_bavail * is_.f_frsize

    def fill(self, leave):
        while self.left() > leave:
            piece = min(self.left() - leave, MIB)
            try:
                os.posix_fallocate(self.filler, self.filled, piece)
            except OSError:
                continue        # the daemon was quicker
            self.filled += piece

    def empty(self):
        os.ftruncate(self.filler, 0)
        self.filled = 0

    def close(self):
        os.close(self.filler)
        subprocess.run(["umount", "-l", self.dir], check=True)


def enter(node, path):
    """Gives the record when it was acknowledged, else the error."""
    done = subprocess.run([FOCALCTL, "--socket", node.socket, "case", "new", "--from", path, "--json"], capture_output=True, text=True, timeout=60)
    return (json.loads(done.stdout)["record"], None) if done.returncode == 0 else (None, json.loads(done.stderr)["error"])


def state_of(node):
    return node.ctl("status")["store"]["state"]


def of(node, code):
    none = {"link": None, "why": None, "equal": False, "they_lack": None}
    return next((o for o in node.ctl("status")["offices"] if o["code"] == code), none)


def cases_of(node):
    return {c["record"] for c in node.ctl("case", "list", "--limit", "1000")["items"]}


def found(home, disk):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Small disk", "--office", "HQ", "--listen", f"127.0.0.1:{hand.free_port()}", "--passphrase-file", secret)
    hq.start()
    token = hq.ctl("office", "invite", "KEN", "--country", "KEN")["token"]
    ken = hand.Node(disk.dir, "KEN")
    ken.log = os.path.join(home.dir, "KEN.log")
    home.nodes.append(ken)
    said = ken.setup("--join-file", home.file("token", token + "\n"), "--listen", "127.0.0.1:0")
    ken.start()
    until("KEN to knock", lambda: any(r["id"] == "KEN" and r.get("state") == "waiting" for r in hq.ctl("office", "list")["items"]))
    hq.ctl("office", "admit", "KEN", "--words-file", home.file("words", " ".join(said["words"]) + "\n"), "--passphrase-file", secret, "--no-input")
    until("the link", lambda: of(ken, "HQ")["link"] == "up")
    return hq, ken, secret


def others_wait(home, disk, hq, ken, secret, path):
    """Below the low mark: HQ's cases wait unacknowledged; KEN's own go out, and a new membership comes in."""
    assert state_of(ken) == "ok" and not any("the disk is" in n["what"] for n in ken.ctl("status")["needs_you"])
    disk.fill(10 * MIB)
    until("KEN to see it", lambda: state_of(ken) == "disk nearly full")
    assert any("disk is nearly full" in n["what"] for n in ken.ctl("status")["needs_you"])
    until("HQ to be told", lambda: "disk" in (of(hq, "KEN")["why"] or ""))
    theirs = [enter(hq, path)[0] for _ in range(5)]
    mine, error = enter(ken, path)
    assert mine, error
    until("KEN's case at HQ", lambda: mine in cases_of(hq))
    hand.bring_in(home, hq, secret, "SSD")
    until("the new member at KEN", lambda: any(r["id"] == "SSD" and r["state"] == "member" for r in ken.ctl("office", "list")["items"]))
    assert not cases_of(ken) & set(theirs), "entries came in that should have waited"
    assert of(hq, "KEN")["they_lack"] >= 5 and not of(hq, "KEN")["equal"], "acknowledged what is not there"
    seen = {s["office"]: s["seen"] for s in hq.show(theirs[-1])["seen_by"]}
    assert not seen["KEN"], seen
    return theirs, [mine]


def the_reserve(disk, hq, ken, path):
    """Not a byte is left: what is entered is kept, over a kill as well, and leaves; until the reserve is used up."""
    disk.fill(0)
    kept = []
    for i in range(4):
        record, error = enter(ken, path)
        assert record, error
        kept.append(record)
    until("KEN to say so", lambda: state_of(ken) == "disk full, on its reserve")
    assert any("reserve" in n["what"] for n in ken.ctl("status")["needs_you"])
    until("what was entered at HQ", lambda: set(kept) <= cases_of(hq))
    disk.fill(0)
    ken.end(signal.SIGKILL)
    ken.start()
    assert set(kept) <= cases_of(ken), "acknowledged cases are missing after a kill"
    for _ in range(200):        # others take whatever is given back
        disk.fill(0)
        record, error = enter(ken, path)
        if error:
            break
        kept.append(record)
    else:
        raise AssertionError("the reserve has no end")
    assert error["code"] == "FD-021" and "disk is full" in error["message"] and "free" in error["hint"], error
    assert len(kept) > 5, kept
    until("KEN to say that it is full", lambda: state_of(ken) == "disk full")
    assert any("nothing can be entered" in n["what"] for n in ken.ctl("status")["needs_you"])
    for _ in range(3):          # and it goes on saying so, and reading
        assert enter(ken, path)[1]["code"] == "FD-021"
    assert set(kept) <= cases_of(ken)
    refused = ken.ctl("office", "pause", "HQ", code=1)
    assert "disk is full" in refused["message"], refused
    return kept


def room_again(disk, hq, ken, path, theirs, mine):
    disk.empty()
    until("KEN to be at ease", lambda: state_of(ken) == "ok")
    assert os.path.getsize(os.path.join(ken.dir, "focal.db.reserve")) == 8 * MIB
    record, error = enter(ken, path)
    assert record, error
    everything = set(theirs) | set(mine) | {record}
    for node in (hq, ken):
        until(f"all cases at {node.code}", lambda node=node: everything <= cases_of(node))
    hand.at_ease((hq, ken))
    until("both to be equal", lambda: of(hq, "KEN")["equal"] and of(ken, "HQ")["equal"])
    assert cases_of(ken) == everything, "a refused case is there"
    assert not of(hq, "KEN")["why"], of(hq, "KEN")


def a_key_that_finds_no_room(disk, ken, path):
    """To encrypt everything anew takes room for a second copy: without it a sentence, and all is as it was."""
    before = cases_of(ken)
    disk.fill(0)
    error = ken.ctl("store-key", "rotate", code=1)
    assert "No space left" in error["message"] and "free some room" in error["hint"], error
    assert cases_of(ken) == before and not [f for f in os.listdir(ken.dir) if "rekey" in f or f.endswith(".tmp")], os.listdir(ken.dir)
    assert ken.end() == 0
    ken.start()
    assert cases_of(ken) == before
    disk.empty()
    until("KEN to be at ease", lambda: state_of(ken) == "ok")
    assert ken.ctl("store-key", "rotate")["store_key"] == "plain"
    record, error = enter(ken, path)
    assert record and cases_of(ken) == before | {record}, error


def failing_disk(hq, ken, path):
    """Writes beyond a limit fail, as on a disk with bad blocks: one sentence, 74, and what was acknowledged is there."""
    before = cases_of(ken)
    assert ken.end() == 0

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (WRITE_LIMIT, WRITE_LIMIT))

    with open(ken.log, "ab") as log:
        ken.process = subprocess.Popen([FOCALD, "run", "--dir", ken.dir], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE, preexec_fn=limit)
    until("KEN to answer", ken.answers)
    kept = set()
    for _ in range(500):
        done = subprocess.run([FOCALCTL, "--socket", ken.socket, "case", "new", "--from", path, "--json"], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            break
        kept.add(json.loads(done.stdout)["record"])
    else:
        raise AssertionError("the disk never failed")
    said = ken.process.stderr.read().decode()
    support_canary.heard("the last words of KEN", said)
    assert ken.process.wait(timeout=30) == 74, said
    assert "focald: stopping: the database could not be read or written" in said, said
    assert kept, "it failed before anything was written"
    ken.process = None
    ken.start()
    assert before | kept <= cases_of(ken), "acknowledged cases are missing"
    hand.at_ease((hq, ken))


def main():
    if os.geteuid() != 0:
        print("SKIPPED: mounting a small disk needs root; nothing about full disks was tried here")
        return
    with hand.Home() as home:
        disk = SmallDisk(home)
        try:
            path = home.file("case.json", json.dumps(hand.CASE))
            hq, ken, secret = found(home, disk)
            theirs, mine = others_wait(home, disk, hq, ken, secret, path)
            print("nearly full: others wait unacknowledged, memberships pass, own cases leave")
            mine += the_reserve(disk, hq, ken, path)
            print(f"full: {len(mine) - 1} cases out of the reserve, then refused with a sentence; reading goes on")
            room_again(disk, hq, ken, path, theirs, mine)
            print("room again: all that was acknowledged is there, nothing that was refused, both equal")
            a_key_that_finds_no_room(disk, ken, path)
            print("no room for a second copy: the key stays, and so does everything else")
            failing_disk(hq, ken, path)
            print("a failing disk: a sentence, exit 74, nothing acknowledged is missing")
        finally:
            for node in home.nodes:
                if node.process:
                    node.process.kill()
                    node.process.wait()
                    node.process = None
            disk.close()


if __name__ == "__main__":
    main()
