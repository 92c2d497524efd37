#!/usr/bin/env python3
"""Three offices on a network that goes wrong in every way, while people work and daemons are killed.

Headquarters and two offices enter and edit cases all along. The proxy between them goes through each fault, then through
random combinations; daemons are killed with SIGKILL and started again. Then all is healed, and: every acknowledged case and
edit is at every office, every history verifies with equal digests, no daemon ended by itself, memory and descriptors stay
bounded, and a link that was half open came back without help. `--minutes N` (or FOCAL_FAULTS_MINUTES) goes on longer,
`--seed N` (or FOCAL_FAULTS_SEED) plays the same faults again; when what happens in the daemons is the machine's affair."""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from support_net import Control, Net, Refused, link
from support_proxy import CALM
from test_hand import until

KILLS, KILL_EVERY_S, PHASE_S, RANDOM_S = 36, 1.6, 2.5, 30
DEAD_S = 60             # a link without an authenticated byte for so long is dead
FILES_MAX, RSS_GROWTH_KIB = 96, 64 << 10
PACE_S = 0.05

FAULTS = [dict(delay=0.3, jitter=0.4), dict(stall=0.2, stall_s=1.5), dict(rate=4096), dict(blackout=True), dict(refuse=True), dict(flip=0.1),
          dict(truncate=0.1), dict(reset=True), dict(cut=True)]

# Each office sets a field of its own, so that what must stand in the end is known.
FIELD = {"HQ": ("status", ["received", "under_investigation", "substantiated", "closed_other"]),
         "KEN": ("channel", ["hotline", "digital", "in_person", "media"]),
         "SSD": ("entity_class", ["ngo", "contractor", "peace_operation", "implementing_partner"])}


class Person(threading.Thread):
    """Works at one office: new cases, its own field of any case there, one more victim. Keeps what was acknowledged."""

    def __init__(self, node, everybody, seed, stop):
        super().__init__(daemon=True)
        self.node, self.everybody, self.chance, self.stop = node, everybody, random.Random(seed), stop
        self.cases, self.refused, self.failed = [], [], None
        self.values = {}        # record -> what may stand in our field: the last acknowledged, and what was tried after it
        self.victims = {}       # record -> [acknowledged, tried]
        self.acknowledged = 0

    def run(self):
        control = Control(self.node)
        try:
            while not self.stop.wait(PACE_S):
                try:
                    self.act(control)
                except OSError:
                    pass            # killed; whether it was done is not known
                except Refused as e:
                    self.refused.append(str(e))
        except Exception as e:      # the test must hear of it
            self.failed = e
        control.close()

    def act(self, control):
        if not self.cases or self.chance.random() < 0.4:
            items, _ = control.ask("case.new", fields={"country": "KEN", "received_quarter": "2018-Q2", "victims": ["female.child"]})
            self.cases.append(items[0]["record"])
            self.acknowledged += 1
            return
        record = self.chance.choice(self.chance.choice([p for p in self.everybody if p.cases]).cases)
        if not self.here(control, record):
            return
        if self.chance.random() < 0.5:
            name, values = FIELD[self.node.code]
            value = self.chance.choice(values)
            may = self.values.setdefault(record, [None])
            may.append(value)
            control.ask("case.update", ref=record, set={name: value})
            self.values[record] = [value]
        else:
            count = self.victims.setdefault(record, [0, 0])
            count[1] += 1
            control.ask("case.update", ref=record, add={"victims": ["male.adult"]})
            count[0] += 1
        self.acknowledged += 1

    @staticmethod
    def here(control, record):
        try:
            control.ask("case.show", ref=record)
            return True
        except Refused:
            return False


class Killer(threading.Thread):
    """Kills one daemon after another; one that is spared is left alone."""

    def __init__(self, nodes, seed, stop):
        super().__init__(daemon=True)
        self.nodes, self.chance, self.stop = nodes, random.Random(seed), stop
        self.spared, self.lock = set(), threading.Lock()
        self.kills, self.files, self.grown, self.failed = 0, 0, 0, None
        self.began = {}

    def run(self):
        try:
            while not self.stop.wait(KILL_EVERY_S):
                with self.lock:
                    self.kill(self.chance.choice([n for n in self.nodes if n.code not in self.spared]))
        except Exception as e:
            self.failed = e

    def kill(self, node):
        assert node.process.poll() is None, f"{node.code} ended by itself: {node.process.returncode}"
        self.watch(node)
        assert node.end(signal.SIGKILL) == -signal.SIGKILL, f"{node.code} ended by itself"
        node.start()
        self.kills += 1

    def watch(self, node):
        self.files = max(self.files, len(os.listdir(f"/proc/{node.process.pid}/fd")))
        now = rss_kib(node)
        self.grown = max(self.grown, now - self.began.setdefault(node.code, now))


def rss_kib(node):
    return int(open(f"/proc/{node.process.pid}/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def switch(links, fault):
    for one in links:
        one.calm()
        one.set(**{k: v for k, v in fault.items() if k in CALM})
        if fault.get("reset"):
            one.reset()
        if fault.get("cut"):
            one.cut()


def combination(chance):
    whole = {}
    for fault in chance.sample(FAULTS, chance.randint(1, 3)):
        whole |= fault
    return whole


class HalfOpen:
    """KEN's link with HQ ends without KEN being told. It must notice, and come back."""

    def __init__(self, net, killer):
        self.net, self.killer, self.ken = net, killer, net.nodes[1]
        killer.spared.add("KEN")
        net.linked(self.ken, "HQ")
        net.links["HQ"].set(half_open=True)
        net.links["HQ"].set(half_open=False)
        self.began = time.monotonic()
        assert link(self.ken, "HQ") == "up", "KEN has nothing to know it by"
        self.link = net.links["HQ"]
        self.calls, self.took = self.link.calls, None

    def over(self):
        """Has KEN found out? Its memory of the link is older than the silence it may bear."""
        if self.took is None and link(self.ken, "HQ") != "up":
            self.took = time.monotonic() - self.began
            self.killer.spared.discard("KEN")
        return self.took is not None


def misuse(net, chance, half_open, seconds):
    """Each fault on each link in turn, then combinations on any of them."""
    links = list(net.links.values())
    plan = [(fault, links) for fault in FAULTS]
    end = time.monotonic() + len(plan) * PHASE_S + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        fault, where = plan.pop(0) if plan else (combination(chance), chance.sample(links, chance.randint(1, len(links))))
        switch(where, fault)
        pause.wait(PHASE_S)
        half_open.over()
        switch(where, {})
        pause.wait(0.3)
    for one in links:
        one.calm()


def same_everywhere(net):
    """Equal digests, scope by scope, of histories without errors."""
    began = time.monotonic()
    hand.at_ease(net.nodes)
    print(f"equal {time.monotonic() - began:.1f} s after the last fault")


def nothing_lost(net, people):
    cases = [(p, record) for p in people for record in p.cases]
    for node in net.nodes:
        control = Control(node)
        for owner, record in cases:
            items, _ = control.ask("case.show", ref=record)
            shown = items[0]
            assert not shown["conflicts"], (node.code, shown)
            for p in people:
                if record in p.values:
                    stands = shown["fields"].get(FIELD[p.node.code][0])
                    assert stands in p.values[record], f"{record} at {node.code}: {p.node.code} set {p.values[record]}, {stands} stands"
            victims = len(shown["fields"]["victims"])
            least = 1 + sum(p.victims.get(record, (0, 0))[0] for p in people)
            most = 1 + sum(p.victims.get(record, (0, 0))[1] for p in people)
            assert least <= victims <= most, f"{record} at {node.code}: {victims} victims, not {least} to {most}"
        control.close()
    return len(cases)


def start_lean(node):
    # The address sanitizer keeps freed memory for a while, which would be counted as the daemon's.
    node.env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8")
    node.start()


def work(home, seed, minutes):
    chance, stop, stop_killing = random.Random(seed), threading.Event(), threading.Event()
    net = Net(home, seed, start=start_lean)
    for code in ("KEN", "SSD"):
        net.linked(next(n for n in net.nodes if n.code == code), "HQ")
    killer, people = Killer(net.nodes, seed + 1, stop_killing), []
    people += [Person(n, people, seed + 10 + i, stop) for i, n in enumerate(net.nodes)]
    for p in people:
        p.start()
    until("a first case of each", lambda: all(p.cases for p in people))
    half_open = HalfOpen(net, killer)
    killer.start()
    misuse(net, chance, half_open, RANDOM_S + 60 * minutes)
    until("the half-open link to be given up", half_open.over, DEAD_S + 20)
    assert half_open.took > DEAD_S / 2, f"KEN was told after {half_open.took:.0f} s: the link was not half open"
    until(f"{KILLS} kills", lambda: killer.kills >= KILLS or killer.failed)
    stop_killing.set()
    killer.join(60)
    stop.set()
    for p in people:
        p.join(60)
        assert not p.failed, f"{p.node.code}: {p.failed!r}"
        assert not p.refused, f"{p.node.code} refused: {p.refused[:3]}"
    assert not killer.failed, repr(killer.failed)
    same_everywhere(net)
    cases = nothing_lost(net, people)
    for n in net.nodes:
        killer.watch(n)
    links = net.links.values()
    print(f"{killer.kills} kills, {cases} cases and {sum(p.acknowledged for p in people) - cases} edits acknowledged, none lost; "
          f"{sum(x.calls for x in links)} connections, {sum(x.bytes for x in links) >> 10} KiB, {sum(x.flips for x in links)} flips, "
          f"{sum(x.cuts for x in links)} truncations, {sum(x.stalls for x in links)} stalls; half-open link given up after {half_open.took:.0f} s; "
          f"at most {killer.files} descriptors, memory grew by at most {killer.grown} KiB")
    assert all(sum(getattr(x, k) for x in links) for k in ("flips", "cuts", "stalls")), "a fault that never came proves nothing"
    assert killer.files <= FILES_MAX, killer.files
    assert killer.grown <= RSS_GROWTH_KIB * (1 + minutes), killer.grown
    net.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("FOCAL_FAULTS_MINUTES", 0)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FOCAL_FAULTS_SEED", random.SystemRandom().randrange(1 << 31))))
    given = parser.parse_args()
    print(f"seed {given.seed}: again with test_faults.py --seed {given.seed}", flush=True)
    began = time.monotonic()
    with hand.Home() as home:
        work(home, given.seed, given.minutes)
    print(f"all in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
