#!/usr/bin/env python3
"""Today's program beside a made-up next one: one field, one set, one code, one item in headers, one kind of message, one kind
of statement and one protocol version more. HQ and SSD run today's, KEN the next, and KEN and SSD meet only through HQ.
What today's program does not understand it keeps, merges, relays and shows as what it is; both directions exchange; histories
verify with equal digests; and an office that is brought to the next version finds everything that came through older ones."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from support_net import Control, Net, Refused, link
from test_hand import run, until

NEXT = os.environ["FOCAL_NEXT_BIN_DIR"]
NEWER = "needs a newer program"


def turn_to(node, which):
    """Ends the daemon and goes on with the other program over the same directory."""
    assert node.end() == 0
    choose(node, which)
    node.start()


def choose(node, which):
    node.focald, node.focalctl = os.path.join(which, "focald"), os.path.join(which, "focalctl")


def ask(node, do, **what):
    control = Control(node)
    try:
        return control.ask(do, **what)[0]
    finally:
        control.close()


def start_as_planned(node):
    choose(node, NEXT if node.code == "KEN" else hand.BIN)
    node.start()


def found(home):
    """The network; its statements come from the next version's client, so one of them is of a kind that today's does not know."""
    today = hand.FOCALCTL
    net = Net(home, 3, offices=(), start=start_as_planned)
    hq = net.nodes[0]
    for code in ("KEN", "SSD"):
        token = hq.ctl("office", "invite", code, "--country", code)["token"]
        net.place(code, "--join-file", home.file(code + ".invitation", token + "\n"))
        hq.focalctl = os.path.join(NEXT, "focalctl")
        net.admit(code)
        hq.focalctl = today
    _, ken, ssd = net.nodes
    for node, other in ((ken, "SSD"), (ssd, "KEN")):
        until(f"{other} to be known at {node.code}", lambda node=node, other=other: link(node, other) is not None)
        node.ctl("office", "pause", other)
        until(f"the cut of {node.code} and {other}", lambda node=node, other=other: link(node, other) == "paused")
        net.linked(node, "HQ")
    return net


def shown_as_newer(node, record, channel="?3c"):
    seen = until(f"{record} at {node.code}", lambda: node.show(record))
    seen = until(f"all of it at {node.code}", lambda: (s := node.show(record))["fields"].get("channel") and s)
    assert seen["needs_newer"] is True, seen
    unknown = [k for k, v in seen["fields"].items() if v == NEWER]
    assert len(unknown) == 2 and "made_up" not in seen["fields"], seen
    assert seen["fields"]["channel"] == channel, seen
    text = run(node.focalctl, "--socket", node.socket, "case", "show", record).stdout
    assert "needs a newer program" in text, text
    return seen


def shown_whole(node, record, **fields):
    def look():
        seen = node.show(record)
        return seen and all(seen["fields"].get(k) == v for k, v in fields.items()) and seen
    return until(f"{fields} at {node.code}", look)


def both_directions(net):
    """KEN writes what only it understands; the others pass it on, add to it, and KEN sees that."""
    hq, ken, ssd = net.nodes
    record = ask(ken, "case.new", fields={"country": "KEN", "received_quarter": "2018-Q2", "channel": "made_up", "made_up": "male",
                                          "made_up_rows": ["female.child", "male.adult"], "victims": ["female.child"]})[0]["record"]
    for value in ("female", "other", "male"):       # in the middle of a log, replacing what nobody else can read
        ask(ken, "case.update", ref=record, set={"made_up": value, "entity_class": "ngo"})
    plain = ask(ken, "case.new", fields={"country": "KEN", "received_quarter": "2018-Q3"})[0]["record"]
    for n in (hq, ssd):
        shown_as_newer(n, record)
        assert until("a case of fields all know", lambda n=n: n.show(plain))["needs_newer"] is False
    ask(ssd, "case.update", ref=record, set={"status": "received"})
    ask(hq, "case.update", ref=record, add={"victims": ["male.adult"]})
    seen = shown_whole(ken, record, status="received", made_up="male", channel="made_up", entity_class="ngo")
    until("the second victim at KEN", lambda: len(ken.show(record)["fields"]["victims"]) == 2)
    assert len(seen["fields"]["made_up_rows"]) == 2 and not seen["conflicts"], seen
    return record


def replaced_unread(net, record):
    """SSD sets a field whose value it cannot read: the one it replaces is gone everywhere, also where it could be read."""
    _, ken, ssd = net.nodes
    ask(ssd, "case.update", ref=record, set={"channel": "hotline"})
    for n in net.nodes:
        shown_whole(n, record, channel="hotline")
        assert not n.show(record)["conflicts"], n.show(record)
    try:
        ask(ssd, "case.update", ref=record, set={"made_up": "female"})
        raise AssertionError("today's program set a field that it does not know")
    except Refused:
        pass
    assert ken.show(record)["fields"]["made_up"] == "male"


def messages(net):
    """A message of a later version costs nobody the link."""
    hq, ken, _ = net.nodes
    until("one link each", lambda: link(ken, "HQ") == "up" and link(hq, "KEN") == "up")
    calls = net.links["HQ"].calls
    for _ in range(5):
        ken.ctl("ping", "HQ")
        hq.ctl("ping", "KEN")
    new = ask(ken, "case.new", fields={"country": "KEN"})[0]["record"]
    until("a case after the messages", lambda: hq.show(new))
    assert net.links["HQ"].calls == calls and link(ken, "HQ") == "up", "the link was given up"


def two_versions_unread(net, record):
    """Two of the next version write a field at once that HQ, between them, cannot read: all three know of both versions."""
    hq, ken, ssd = net.nodes
    for n in (ken, ssd):
        n.ctl("office", "pause", "HQ")
    until("the cut", lambda: link(ken, "HQ") == "paused" and link(ssd, "HQ") == "paused")
    ask(ken, "case.update", ref=record, set={"made_up": "female"})
    ask(ssd, "case.update", ref=record, set={"made_up": "unknown"})
    for n in (ken, ssd):
        n.ctl("office", "resume", "HQ")
    for n in (ken, ssd):
        seen = until(f"two versions at {n.code}", lambda n=n: n.show(record)["conflicts"])
        assert {(v["value"], v["office"]) for v in seen["made_up"]} == {("female", "KEN"), ("unknown", "SSD")}, seen
    until("HQ to know that there are two", lambda: any("two versions" in n["what"] for n in hq.ctl("status")["needs_you"]))
    ssd.ctl("case", "resolve", record, "made_up", "--take-office", "KEN")
    for n in (ken, ssd):
        shown_whole(n, record, made_up="female")
        until(f"one version at {n.code}", lambda n=n: not n.show(record)["conflicts"])
    until("HQ to know that it is settled", lambda: not any("two versions" in n["what"] for n in hq.ctl("status")["needs_you"]))


def statements(node):
    """The set as it stands on disk, bodies only."""
    return sorted(bytes.fromhex(value)[64:] for value in hand.sql(node, "SELECT hex(value) FROM statement"))


def at_ease(net, what):
    hand.at_ease(net.nodes)
    print(f"{what}: equal everywhere", flush=True)


def main():
    with hand.Home() as home:
        net = found(home)
        hq, ken, ssd = net.nodes
        record = both_directions(net)
        at_ease(net, "exchanged both ways")
        replaced_unread(net, record)
        messages(net)
        at_ease(net, "edited by both")

        # Killed and started again, today's program still holds what it cannot read.
        for n in (hq, ssd):
            assert n.end(signal.SIGKILL) == -signal.SIGKILL
            n.start()
            assert n.show(record)["needs_newer"] is True
        at_ease(net, "over a restart")

        # SSD is brought to the next version: what came through HQ is all there.
        turn_to(ssd, NEXT)
        seen = shown_whole(ssd, record, made_up="male", channel="hotline")
        assert len(seen["fields"]["made_up_rows"]) == 2, seen
        net.linked(ssd, "HQ")
        two_versions_unread(net, record)
        at_ease(net, "one more brought to the next version")

        # And KEN back to today's: its own entries are then what it cannot read, and it goes on writing behind them.
        turn_to(ken, hand.BIN)
        shown_as_newer(ken, record, channel="hotline")
        ask(ken, "case.update", ref=record, set={"status": "under_investigation"})
        net.linked(ken, "HQ")
        shown_whole(ssd, record, made_up="female", status="under_investigation")
        at_ease(net, "one taken back")
        net.end()
        sets = [statements(n) for n in net.nodes]
        assert sets[0] == sets[1] == sets[2], [len(s) for s in sets]
        assert any(body[0] == 64 for body in sets[2]), "the statement of a later kind was not carried"
    print("both programs agree")


if __name__ == "__main__":
    main()
