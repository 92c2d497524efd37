#!/usr/bin/env python3
"""Why a link is down, where an office may know it, and nothing told to who has no business to know: another network stands at
headquarters' address; headquarters was put back to a day before the membership; somebody asks at the port without a key."""

import os
import shutil
import socket
import struct

from test_hand import Home, at_ease, bring_in, free_port, until

GREETING = b"\0SP\0\0\x10\0\0"


def of(node, other):
    return next((o for o in node.ctl("status")["offices"] if o["code"] == other), {"link": None, "why": None})


def up(node, other="HQ"):
    until(f"the link of {node.code} with {other}", lambda: of(node, other)["link"] == "up")


def dial(node, other="HQ"):
    """At once, not when its turn comes."""
    node.ctl("sync", "now", other)
    return of(node, other)


def another_network_at_the_address(home, secret, hq, ken, port):
    assert hq.end() == 0
    other = home.node("OTHER")
    other.setup("--role", "hq", "--network", "Another", "--office", "OTHER", "--listen", f"127.0.0.1:{port}", "--passphrase-file", secret)
    other.start()
    until("KEN to see that it is not them", lambda: "not them" in (dial(ken)["why"] or ""))
    assert of(ken, "HQ")["link"] == "refused", of(ken, "HQ")
    assert other.ctl("status")["offices"] == [] and "KEN" not in open(other.log).read(), "it learns nothing of who called"
    assert other.end() == 0
    hq.start()
    until("KEN to be back", lambda: dial(ken)["link"] == "up")


def headquarters_of_an_earlier_day(hq, ken, ssd, copy):
    assert ssd.end() == 0 and hq.end() == 0
    shutil.rmtree(hq.dir)
    shutil.copytree(copy, hq.dir)
    hq.start()
    until("KEN to be refused", lambda: dial(ken)["link"] == "refused")
    assert "do not accept our key" in of(ken, "HQ")["why"], of(ken, "HQ")
    assert all(o["code"] != "KEN" for o in hq.ctl("status")["offices"])
    ssd.start()                         # who knows both tells headquarters of the membership
    up(ssd)
    until("KEN to be let in again", lambda: dial(ken)["link"] == "up")
    made = new_case_of(ken)
    at_ease([hq, ken, ssd])
    assert hq.show(made) and ssd.show(made)


def new_case_of(node):
    return node.ctl("case", "new", "--set", "country=KEN", "--set", "allegation_type=other")["id"]


def nothing_for_who_asks(port):
    for said in (b"", GREETING, GREETING + struct.pack(">Q", 64) + os.urandom(64), GREETING + struct.pack(">Q", 48) + bytes(48),
                 b"GET / HTTP/1.0\r\n\r\n", GREETING + struct.pack(">Q", 1 << 40)):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(3)
            heard = b""
            try:
                s.sendall(said)
                while data := s.recv(4096):
                    heard += data
            except (TimeoutError, ConnectionError):
                pass
            assert heard in (b"", GREETING), (said[:20], heard)


def main():
    with Home() as home:
        secret = home.file("passphrase", "correct horse battery staple\n")
        port = free_port()
        hq = home.node("HQ")
        hq.setup("--role", "hq", "--network", "Why", "--office", "HQ", "--listen", f"127.0.0.1:{port}", "--passphrase-file", secret)
        hq.start()
        ssd = bring_in(home, hq, secret, "SSD")
        up(ssd)
        assert hq.end() == 0
        copy = os.path.join(home.dir, "HQ.earlier")
        shutil.copytree(hq.dir, copy)
        hq.start()
        ken = bring_in(home, hq, secret, "KEN")
        up(ken)
        new_case_of(ken)
        at_ease([hq, ken, ssd])
        nothing_for_who_asks(port)
        print("who has no key hears a greeting and nothing else")
        another_network_at_the_address(home, secret, hq, ken, port)
        print("another network at the address is known for what it is")
        headquarters_of_an_earlier_day(hq, ken, ssd, copy)
        print("a headquarters of an earlier day refuses, and learns better")
        for n in (ken, ssd, hq):
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
