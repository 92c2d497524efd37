#!/usr/bin/env python3
"""Two thousand hostile connections against headquarters' port while two other offices enter cases: every case arrives
everywhere, links stay or come back, an office that must dial anew in the middle of it gets through, all histories verify with
equal digests, headquarters keeps answering, its memory stays bounded, and no descriptor stays open. The hostile ones come from
127.0.0.2 to 127.0.0.9, the offices from 127.0.0.1, as the limits count by address."""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from test_hand import until

CALLERS, CASES, SECONDS = 2000, 40, 90
HELD = 600              # kept open at once, of the kinds that say too little
GREETING = b"\0SP\0\0\x10\0\0"
ANSWER_S = 1.5          # status, program start and all, on a busy machine
GROWTH_KIB = 64 << 10


def frame(data):
    return struct.pack(">Q", len(data)) + data


class Recorder:
    """Between the office and headquarters: passes everything on, and keeps the first message that the office sent."""

    def __init__(self, port):
        self.port, self.first = port, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.at = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                near.close()
                continue
            threading.Thread(target=self.carry, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, False), daemon=True).start()

    def carry(self, source, to, outward):
        seen = b""
        try:
            while data := source.recv(65536):
                to.sendall(data)
                if outward and self.first is None:
                    seen += data
                    if len(seen) >= 16 and len(seen) >= 16 + (size := struct.unpack(">Q", seen[8:16])[0]):
                        self.first = seen[8:16 + size]
        except OSError:
            pass
        for s in (source, to):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Siege:
    def __init__(self, port, recorded):
        self.port, self.recorded = port, recorded
        self.chance, self.held = random.Random(11), []
        self.kinds = [self.fin, self.rst, self.fin_rst, self.garbage, self.half_open, self.slow, self.noise, self.oversize, self.replay,
                      self.replay_then_noise, self.cut_short, self.empty_frames]
        self.count = dict.fromkeys((k.__name__ for k in self.kinds), 0)
        self.answered = 0

    # Each gives true when the socket is to be kept open for a while.
    def fin(self, s): s.close()
    def rst(self, s): reset(s)
    def fin_rst(self, s): s.shutdown(socket.SHUT_WR); reset(s)
    def garbage(self, s): s.sendall(b"GET / HTTP/1.1\r\nHost: sync.example\r\n\r\n\xff\xfe\xfd"); s.close()
    def half_open(self, s): return True
    def slow(self, s): s.sendall(GREETING[:3]); return True
    def noise(self, s): s.sendall(GREETING + frame(self.chance.randbytes(48))); return True
    def oversize(self, s): s.sendall(GREETING + struct.pack(">Q", 1 << 62) + b"x"); return True
    def replay(self, s): s.sendall(GREETING + self.recorded); return True
    def replay_then_noise(self, s): s.sendall(GREETING + self.recorded + frame(self.chance.randbytes(64))); return True
    def cut_short(self, s): s.sendall(GREETING + struct.pack(">Q", 4096) + self.chance.randbytes(100)); reset(s)
    def empty_frames(self, s): s.sendall(GREETING + frame(b"") * 50); return True

    def call(self, n):
        kind = self.kinds[n % len(self.kinds)]
        s = socket.socket()
        try:
            s.settimeout(2)
            s.bind((f"127.0.0.{2 + self.chance.randrange(8)}", 0))
            s.connect(("127.0.0.1", self.port))
            keep = kind(s)
        except OSError:
            s.close()       # headquarters had enough of it already
            keep = False
        self.count[kind.__name__] += 1
        if keep:
            self.held.append(s)
        if len(self.held) > HELD:
            self.let_go(self.held.pop(0))

    def let_go(self, s):
        try:
            s.setblocking(False)
            self.answered += len(s.recv(65536)) > 8
        except OSError:
            pass
        (reset if self.chance.random() < 0.5 else socket.socket.close)(s)

    def lay(self, until_s):
        """All of them, spread over the time there is."""
        begin = time.monotonic()
        for n in range(CALLERS):
            self.call(n)
            due = begin + until_s * n / CALLERS
            if due > time.monotonic():
                time.sleep(due - time.monotonic())

    def crowd(self):
        """Every place for callers who have not proven who they are, taken by the recorded message; gives the sockets."""
        taken = []
        for n in range(128):
            s = socket.socket()
            s.bind((f"127.0.0.{2 + n % 8}", 0))
            s.connect(("127.0.0.1", self.port))
            s.sendall(GREETING + self.recorded)
            taken.append(s)
        return taken

    def end(self):
        while self.held:
            self.let_go(self.held.pop())


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    port = hand.free_port()
    recorder = Recorder(port)
    hq, ken = home.node("HQ"), None
    hq.setup("--role", "hq", "--network", "Under siege", "--office", "HQ", "--listen", f"127.0.0.1:{port}",
             "--advertise", f"127.0.0.1:{recorder.at}", "--passphrase-file", secret)
    hq.start()
    ken = hand.bring_in(home, hq, secret, "KEN")
    linked(ken)
    ssd = hand.bring_in(home, hq, secret, "SSD")
    linked(ssd)
    # From here on the office only dials: else headquarters would go round the crowd at its own door.
    assert ken.end() == 0
    conf = os.path.join(ken.dir, "focald.conf")
    lines = [line for line in open(conf) if not line.startswith("listen =")]
    lines.insert(lines.index("[link]\n") + 1, "listen = none\n")
    open(conf, "w").writelines(lines)
    ken.start()
    linked(ken)
    until("the recorded first message", lambda: recorder.first)
    return hq, ken, ssd, port, recorder


def linked(ken, patience=hand.PATIENCE):
    until("the link with HQ", lambda: any(o["code"] == "HQ" and o["link"] == "up" for o in ken.ctl("status")["offices"]), patience)


def status(node, answers):
    begin = time.monotonic()
    said = node.ctl("status")
    answers.append(time.monotonic() - begin)
    return said


def descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def besieged(home, hq, ken, ssd, siege):
    """Cases go in while it lasts; half way, one office is ended and started again, so that it must dial among the others."""
    made, answers, rss = [], [], []
    seconds = 12
    thread = threading.Thread(target=siege.lay, args=(seconds,))
    before = hq.ctl("status")["rss_kib"]
    thread.start()
    path = home.file("case.json", json.dumps(hand.CASE))
    for n in range(CASES):
        made.append((ken, ssd)[n % 2].ctl("case", "new", "--from", path)["record"])
        rss.append(status(hq, answers)["rss_kib"])
        if n == CASES // 2:
            assert ken.end() == 0
            ken.start()
            begin = time.monotonic()
            linked(ken, 8)
            print(f"dialled anew among them in {time.monotonic() - begin:.1f} s, {'still' if thread.is_alive() else 'no longer'} under siege")
    while thread.is_alive():
        rss.append(status(hq, answers)["rss_kib"])
        thread.join(0.1)
    print(f"{sum(siege.count.values())} hostile connections, {siege.answered} of the kept ones answered; status in at most {max(answers):.2f} s; "
          f"memory {before} -> {max(rss)} KiB")
    assert sum(siege.count.values()) == CALLERS and min(siege.count.values()) > CALLERS // len(siege.kinds) - 1, siege.count
    assert siege.answered > 0, "a recorded first message was never answered: the replay was not one"
    assert max(answers) < ANSWER_S, sorted(answers)[-5:]
    assert max(rss) - before < GROWTH_KIB, (before, rss)
    return made


def crowded(ken, siege):
    """Whoever holds every place with a recorded message keeps no office out."""
    assert ken.end() == 0
    taken = siege.crowd()
    ken.start()
    linked(ken, 8)
    for s in taken:
        s.close()
    print("dialled anew past a crowd that holds every place")


def main():
    begin = time.monotonic()
    with hand.Home() as home:
        hq, ken, ssd, port, recorder = found(home)
        siege = Siege(port, recorder.first)
        pids = (hq.process.pid,)
        open_before = descriptors(hq)
        made = besieged(home, hq, ken, ssd, siege)
        siege.end()
        assert hq.process.poll() is None and (hq.process.pid,) == pids, "headquarters ended"
        linked(ken)
        crowded(ken, siege)
        for record in made:
            for n in (hq, ken, ssd):
                until(f"{record} at {n.code}", lambda record=record, n=n: n.show(record))
        hand.at_ease((hq, ken, ssd))
        until("headquarters to have closed what they left", lambda: descriptors(hq) <= open_before + 2, 40)    # a link that was dialled twice
        digests = []
        for n in (hq, ken, ssd):
            said = n.ctl("verify")
            assert not said["errors"], said
            digests.append(said["digests"]["network"])
        assert digests[0] == digests[1] == digests[2], digests
        print(f"{len(made)} cases arrived at three offices, all verify with equal digests; {open_before} descriptors open before, {descriptors(hq)} after")
        for n in (ken, ssd, hq):
            assert n.end() == 0, f"{n.code} did not end cleanly"
            log = open(n.log, errors="replace").read()
            assert "Sanitizer" not in log and "runtime error" not in log, log[-3000:]
        recorder.listener.close()
    took = time.monotonic() - begin
    assert took < SECONDS, f"it took {took:.0f} s"


if __name__ == "__main__":
    main()
