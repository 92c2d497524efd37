#!/usr/bin/env python3
"""A headquarters and an office: the authority renews a membership and the office learns it over the link; then headquarters may
do so by itself; wrong input changes nothing."""

import datetime

from test_hand import Home, bring_in, free_port, until


def day(add=0):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=add)).isoformat()


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Renewed", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    ken = bring_in(home, hq, secret, "KEN", "KEN")
    until("the link", lambda: ken.ctl("status")["offices"][0]["link"] == "up")
    return secret, hq, ken


def to(node, code="KEN"):
    return node.ctl("office", "show", code)["to"]


def sign(hq, secret, *words, code=0):
    return hq.ctl(*words, "--no-input", "--passphrase-file", secret, code=code)


def by_the_authority(home, secret, hq, ken):
    first = to(ken)
    said = sign(hq, secret, "office", "renew", "KEN")
    assert said["office"] == "KEN" and said["renewed"] is True and said["membership_to"] > first, said
    until("KEN to learn it", lambda: to(ken) == said["membership_to"])
    assert ken.ctl("status")["membership_to"] == said["membership_to"]
    half = sign(hq, secret, "office", "renew", "KEN", "--months", "6")
    until("KEN to learn that too", lambda: to(ken) == half["membership_to"] > said["membership_to"])
    ken.end()
    ken.start()
    assert to(ken) == half["membership_to"]


def refused(home, secret, hq, ken):
    before = to(hq)
    assert "months" in sign(hq, secret, "office", "renew", "KEN", "--months", "0", code=2)["message"]
    assert sign(hq, secret, "office", "renew", "KEN", "--months", "many", code=2)["message"]
    assert "office list" in sign(hq, secret, "office", "renew", "NOBODY", code=4)["hint"]
    wrong = home.file("wrong.passphrase", "incorrect horse\n")
    assert "passphrase" in sign(hq, wrong, "office", "renew", "KEN", code=6)["message"]
    assert "authority key" in sign(ken, secret, "office", "renew", "KEN", code=4)["message"]
    assert "until when" in sign(hq, secret, "network", "delegate", code=2)["message"]
    assert "twenty years" in sign(hq, secret, "network", "delegate", "--until", "2001-01-01", code=2)["message"]
    assert "no key for renewals" in sign(hq, secret, "network", "delegate", "--end", code=4)["message"]
    assert "only headquarters" in sign(ken, secret, "network", "delegate", "--until", day(4000), code=6)["message"]
    assert to(hq) == before


def by_itself(secret, hq, ken):
    said = sign(hq, secret, "network", "delegate", "--until", day(2000))
    assert said == {"schema": said["schema"], "office": "HQ", "delegated": True, "until": day(2000)}, said
    until("KEN to know who renews", lambda: [d["until"] for d in ken.ctl("network", "show")["delegations"]] == [day(2000)])
    sign(hq, secret, "network", "delegate", "--end")
    until("KEN to know that nobody does", lambda: ken.ctl("network", "show")["delegations"] == [])


def main():
    with Home() as home:
        secret, hq, ken = found(home)
        by_the_authority(home, secret, hq, ken)
        refused(home, secret, hq, ken)
        by_itself(secret, hq, ken)
        for n in (ken, hq):
            assert n.ctl("verify")["errors"] == []
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
