#!/usr/bin/env python3
"""Daemons whose wall clocks are ten years off, set back while they run, or standing: cases and edits get everywhere, edits in
order leave one version and edits at once leave two, whatever the clocks say; offices join and links come back; histories
verify with equal digests; and `status` names the clock that is wrong and says nothing of one that is right."""

import datetime
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from support_net import Control, Net, link
from test_hand import run, until

SHIM = os.environ["FOCAL_WRONG_CLOCK"]
YEAR_S, DAY_S = 365 * 86400, 86400
CASE = {"country": "KEN", "received_quarter": "2012-Q2", "allegation_type": "other"}


def day(add_s=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=add_s)).strftime("%Y-%m-%d")


def with_clock(node):
    """Its clock can be set from now on; it starts right."""
    node.clock = node.dir + ".clock"
    set_clock(node)
    # The sanitizers want to be the first library; that this one is does them no harm.
    node.env = dict(os.environ, LD_PRELOAD=SHIM, FOCAL_WRONG_CLOCK_FILE=node.clock,
                    ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    node.start()


def set_clock(node, add_s=0, stands=False):
    with open(node.clock, "r+b" if os.path.exists(node.clock) else "wb") as f:
        f.write(struct.pack("=qq", int(add_s * 1000), int((time.time() + add_s) * 1000) if stands else 0))


def clock(node):
    said = node.ctl("status")
    wrong = [n for n in said["needs_you"] if "the clock of this machine" in n["what"]]
    assert bool(wrong) == (said["clock"] != "ok"), said
    assert not wrong or "set it right" in wrong[0]["what"], wrong
    text = run(node.focalctl, "--socket", node.socket, "status").stdout
    assert ("    Clock  ok\n" in text) != ("\nClock     wrong" in text), text
    return said["clock"]


def clock_says(node, *words):
    return until(f"{node.code}'s status to name the clock with {words}", lambda: all(w in clock(node) for w in words))


def new_case(node, nodes):
    control = Control(node)
    record = control.ask("case.new", fields=CASE)[0][0]["record"]
    control.close()
    until(f"{record} everywhere", lambda: all(n.show(record) for n in nodes))
    return record


def update(node, record, **fields):
    control = Control(node)
    control.ask("case.update", ref=record, set=fields)
    control.close()


def fields(node, record):
    return node.show(record)["fields"]


def in_order(nodes, record):
    """Edits that follow one another leave one version, the last, though it be the oldest by its clock."""
    for value, writer in zip(("hotline", "digital", "media", "in_person"), nodes + nodes[:1]):
        update(writer, record, channel=value)
        until(f"{value} everywhere", lambda value=value: all(fields(n, record).get("channel") == value for n in nodes))
    for n in nodes:
        assert not n.show(record)["conflicts"], n.show(record)


def at_once(net, record):
    """Edits made without knowing of each other leave two versions, and neither wins by its clock."""
    hq, ken, ssd = net.nodes
    for office in ("HQ", "SSD"):
        ken.ctl("office", "pause", office)
    until("the cut", lambda: link(ken, "HQ") == "paused" and link(ken, "SSD") == "paused")
    update(ken, record, status="substantiated")
    update(ssd, record, status="received")
    for office in ("HQ", "SSD"):
        ken.ctl("office", "resume", office)
    for n in net.nodes:
        seen = until(f"two versions at {n.code}", lambda n=n: n.show(record)["conflicts"])
        assert {(v["value"], v["office"]) for v in seen["status"]} == {("substantiated", "KEN"), ("received", "SSD")}, seen
    ssd.ctl("case", "resolve", record, "status", "--take-office", "KEN")
    for n in net.nodes:
        until(f"one version at {n.code}", lambda n=n: not n.show(record)["conflicts"])
        assert fields(n, record)["status"] == "substantiated"


def linked(net):
    for code in ("KEN", "SSD"):
        net.linked(next(n for n in net.nodes if n.code == code), "HQ")


def main():
    began = time.monotonic()
    with hand.Home() as home:
        net = Net(home, 5, start=with_clock)
        hq, ken, ssd = net.nodes
        linked(net)
        for n in net.nodes:
            assert clock(n) == "ok", (n.code, clock(n))

        # Ten years ahead, ten years behind, while they run.
        set_clock(ken, 10 * YEAR_S)
        set_clock(ssd, -10 * YEAR_S)
        clock_says(ssd, "wrong: it says " + day(-10 * YEAR_S)[:4], "this program was made on")
        record = new_case(ken, net.nodes)
        new_case(hq, net.nodes)
        in_order(net.nodes, record)
        at_once(net, new_case(hq, net.nodes))
        clock_says(ken, "wrong", "it says " + day(10 * YEAR_S)[:7])
        assert clock(hq) == "ok" or "wrong here or at" in clock(hq), clock(hq)

        # The same over a restart, also one by kill -9: they come back, dial and agree.
        for n in (ken, ssd, hq):
            assert n.end(hand.signal.SIGKILL) == -hand.signal.SIGKILL
            n.start()
        linked(net)
        new_case(ssd, net.nodes)
        in_order(net.nodes, record)

        # Set right: nobody is accused any more once they have heard of it.
        set_clock(ken)
        set_clock(ssd)
        until("good clocks", lambda: [new_case(n, net.nodes) for n in net.nodes] and all(clock(n) == "ok" for n in net.nodes))

        # Three days back at headquarters; then one that stands, through restarts too.
        set_clock(hq, -3 * DAY_S)
        clock_says(hq, "wrong", "it says " + day(-3 * DAY_S))
        at_once(net, new_case(hq, net.nodes))
        set_clock(hq, 0, stands=True)
        for n in (hq, ken):
            assert n.end() == 0
            n.start()
        linked(net)
        in_order(net.nodes, record)
        at_once(net, new_case(ken, net.nodes))
        set_clock(hq)

        # An office whose machine woke up in 2016 joins.
        token = hq.ctl("office", "invite", "UGA", "--country", "UGA")["token"]
        net.start = lambda node: (with_clock(node), set_clock(node, -10 * YEAR_S))
        uga = net.place("UGA", "--join-file", home.file("UGA.invitation", token + "\n"))
        net.admit("UGA")
        until("the cases at UGA", lambda: uga.show(record))
        clock_says(uga, "this program was made on")
        new_case(uga, net.nodes)

        hand.at_ease(net.nodes)
        net.end()
    print(f"all in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
