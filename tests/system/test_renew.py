#!/usr/bin/env python3
"""A headquarters and an office: the authority renews a membership and the office learns it over the link, or by a file while it
cannot connect; then headquarters may do so by itself; wrong input changes nothing. Later, with the clocks of both machines set
on: one whose membership has expired goes on writing, is given nothing new, both say why, and a file mends it."""

import datetime
import json

from test_clock import DAY_S, set_clock, with_clock
from test_hand import Home, bring_in, free_port, new_case, until


def day(add=0):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=add)).isoformat()


def found(home, *options):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Renewed", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret, *options)
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


def cut_off(node, on):
    node.ctl("office", "pause" if on else "resume", "HQ")
    until("the cut", lambda: (node.ctl("status")["offices"][0]["link"] == "paused") == on)


def by_file(home, secret, hq, ken):
    cut_off(ken, True)
    before, old, new = to(ken), home.file("old.json", ""), home.file("new.json", "")
    hq.ctl("membership", "export", "KEN", "-o", old)
    said = sign(hq, secret, "office", "renew", "KEN", "--file", new)
    assert to(ken) == before < said["membership_to"]

    text = open(new).read()
    file = json.loads(text)
    assert file["office"] == "KEN" and len(file["statements"]) >= 2, file

    def bad(name, content):
        error = ken.ctl("membership", "import", home.file(name, content), code=(1, 4, 6))
        assert error["hint"], error
        assert to(ken) == before and not unlike(ken, digest), error
        return error["message"]

    digest = ken.ctl("network", "show")["statements"]
    assert "nothing new" in bad("known.json", open(old).read()) and before in bad("known.json", open(old).read())
    for at in (0, 1, len(text) // 2, len(text) - 3):
        assert "cut short" in bad("short.json", text[:at])
    assert "no file of a membership" in bad("other.json", '{"cases":[]}')
    assert "another network: Elsewhere" in bad("foreign.json", json.dumps(dict(file, network="00" * 32, label="Elsewhere")))
    last = file["statements"][-1]
    turned = last[:-1] + ("0" if last[-1] != "0" else "1")
    message = bad("turned.json", json.dumps(dict(file, statements=file["statements"][:-1] + [turned])))
    assert "not signed by the authority" in message or "damaged" in message, message
    assert "damaged" in bad("half.json", json.dumps(dict(file, statements=file["statements"] + [last[:100]])))
    assert ken.ctl("membership", "import", home.dir + "/nothing", code=(1, 4))["message"]
    assert ken.ctl("membership", "import", code=2)["message"]

    took = ken.ctl("membership", "import", new)
    assert took["office"] == "KEN" and took["taken"] == 1 and took["membership_to"] == said["membership_to"] == to(ken), took
    assert "nothing new" in ken.ctl("membership", "import", new, code=1)["message"]
    # An older renewal that is not held says nothing new once a later one is.
    later, newest = home.file("later.json", ""), home.file("newest.json", "")
    sign(hq, secret, "office", "renew", "KEN", "--months", "1", "--file", later)
    newer = sign(hq, secret, "office", "renew", "KEN", "--months", "1", "--file", newest)
    only = json.loads(open(newest).read())
    known = json.loads(open(later).read())["statements"]
    only["statements"] = [one for one in only["statements"] if one not in known]
    assert len(only["statements"]) == 1 and ken.ctl("membership", "import", home.file("only.json", json.dumps(only)))["taken"] == 1
    assert "nothing new" in ken.ctl("membership", "import", later, code=1)["message"]
    assert to(ken) == newer["membership_to"]
    assert any(row["what"].startswith("membership import KEN") or "membership" in json.dumps(row) for row in ken.ctl("history")["items"])
    cut_off(ken, False)
    until("one set", lambda: not unlike(ken, hq.ctl("network", "show")["statements"]))


def unlike(node, digest):
    return node.ctl("network", "show")["statements"] != digest


def by_itself(secret, hq, ken):
    said = sign(hq, secret, "network", "delegate", "--until", day(2000))
    assert said == {"schema": said["schema"], "office": "HQ", "delegated": True, "until": day(2000)}, said
    until("KEN to know who renews", lambda: [d["until"] for d in ken.ctl("network", "show")["delegations"]] == [day(2000)])
    sign(hq, secret, "network", "delegate", "--end")
    until("KEN to know that nobody does", lambda: ken.ctl("network", "show")["delegations"] == [])


def needs(node, words):
    return [n for n in node.ctl("status")["needs_you"] if words in n["what"]]


def row(node, other):
    return next(o for o in node.ctl("status")["offices"] if o["code"] == other)


def expired(home):
    secret, hq, ken = found(home, "--expiry-stops")
    first = to(ken)
    sign(hq, secret, "office", "renew", "HQ", "--months", "60")
    until("KEN to learn it", lambda: to(ken, "HQ") == to(hq, "HQ"))
    for n in (hq, ken):
        n.end()
        with_clock(n)
    before = new_case(home, hq)["id"]
    until("what was written before", lambda: ken.show(before))

    set_clock(hq, 340 * DAY_S)
    assert "it is time" in until("the warning", lambda: needs(hq, "membership of KEN ends in"))[0]["what"]
    assert needs(hq, "membership of KEN")[0]["command"] == "focalctl office renew KEN"
    set_clock(hq, 361 * DAY_S)
    assert until("the last warning", lambda: needs(hq, "this is urgent"))
    set_clock(hq, 400 * DAY_S)
    assert until("the doubt", lambda: needs(hq, "by this machine's clock alone the membership of KEN expired " + first))
    by_one_clock = new_case(home, hq)["id"]
    until("what one clock alone keeps from nobody", lambda: ken.show(by_one_clock))

    set_clock(ken, 400 * DAY_S)
    new_case(home, ken)
    until("HQ to be sure", lambda: needs(hq, "the membership of KEN expired " + first + ", so what it writes is taken in and it is given nothing new"), 150)
    until("KEN to be sure", lambda: needs(ken, "the membership of this office expired " + first), 150)
    mine, theirs = new_case(home, ken)["id"], new_case(home, hq)["id"]
    until("what it writes at HQ", lambda: hq.show(mine))
    assert "their membership expired " + first in row(hq, "KEN")["why"], row(hq, "KEN")
    assert "the membership of this office has expired" in row(ken, "HQ")["why"] and row(ken, "HQ")["link"] == "up", row(ken, "HQ")
    assert ken.show(theirs) is None

    cut_off(ken, True)
    file = home.file("membership.json", "")
    said = sign(hq, secret, "office", "renew", "KEN", "--file", file)
    assert said["membership_to"] > day(700), said
    assert ken.show(theirs) is None and to(ken) == first
    assert ken.ctl("membership", "import", file)["membership_to"] == said["membership_to"]
    assert not needs(ken, "membership")
    cut_off(ken, False)
    until("what it was not given", lambda: ken.show(theirs))
    assert not needs(hq, "membership of KEN") and row(hq, "KEN")["why"] is None, row(hq, "KEN")
    for n in (ken, hq):
        assert n.ctl("verify")["errors"] == []
        assert n.end() == 0, n.code


def by_policy(secret, hq, ken):
    assert "what two persons" in sign(hq, secret, "network", "policy", code=2)["message"]
    assert "two persons can be wanted for" in sign(hq, secret, "network", "policy", "--two-persons", "redact,burn", code=2)["message"]
    assert hq.ctl("network", "show")["two_persons"] is None
    assert sign(hq, secret, "network", "policy", "--two-persons", "export,revoke")["two_persons"] == "export, revoke"
    until("KEN to know it", lambda: ken.ctl("network", "show")["two_persons"] == "export, revoke")
    ken.ctl("export", "--kind", "entity", code=3)
    assert [r["command"] for r in ken.ctl("request", "list")["items"]] == ["export"]
    assert sign(hq, secret, "network", "policy", "--two-persons", "")["two_persons"] == ""
    until("KEN to know that too", lambda: ken.ctl("network", "show")["two_persons"] == "")


def main():
    with Home() as home:
        expired(home)
    with Home() as home:
        secret, hq, ken = found(home)
        by_the_authority(home, secret, hq, ken)
        refused(home, secret, hq, ken)
        by_file(home, secret, hq, ken)
        by_itself(secret, hq, ken)
        by_policy(secret, hq, ken)
        for n in (ken, hq):
            assert n.ctl("verify")["errors"] == []
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
