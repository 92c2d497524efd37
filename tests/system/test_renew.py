#!/usr/bin/env python3
"""A headquarters and an office: the authority renews a membership and the office learns it over the link, or by a file while it
cannot connect; then headquarters may do so by itself; wrong input changes nothing."""

import datetime
import json

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


def main():
    with Home() as home:
        secret, hq, ken = found(home)
        by_the_authority(home, secret, hq, ken)
        refused(home, secret, hq, ken)
        by_file(home, secret, hq, ken)
        by_itself(secret, hq, ken)
        for n in (ken, hq):
            assert n.ctl("verify")["errors"] == []
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
