#!/usr/bin/env python3
"""A headquarters and three offices; the rights of one are taken back while it is cut off and goes on writing. What was known of it
stays everywhere, what it wrote since counts nowhere, it is told why and can write no more, and nobody sends it anything new.
A member's file of heads saves what headquarters does not read; a scope alone, and the right to redact alone, can be taken back."""

import json
import os
import socket
import threading

from support_net import Control, Refused
from test_hand import Home, at_ease, bring_in, free_port, new_case, run, until, FOCALCTL


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Revoked", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    nodes = [hq] + [bring_in(home, hq, secret, code, country) for code, country in (("KEN", "KEN"), ("KEN-FIELD", "KEN"), ("SSD", "SSD"))]
    for n in nodes[1:]:
        until(f"the link of {n.code} with HQ", lambda n=n: any(o["code"] == "HQ" and o["link"] == "up" for o in n.ctl("status")["offices"]))
    return secret, nodes


def pause(node, others, on):
    for other in others:
        node.ctl("office", "pause" if on else "resume", other)
    if on:
        until("the cut", lambda: all(o["link"] == "paused" for o in node.ctl("status")["offices"] if o["code"] in others))


def listed(node):
    return {item["id"] for item in node.ctl("case", "list", "--all")["items"]}


def verified(nodes):
    digests = [n.ctl("verify") for n in nodes]
    assert all(d["errors"] == [] for d in digests), digests
    return [d["digests"] for d in digests]


def revoke(hq, secret, *words, code=0):
    return hq.ctl("office", *words, "--yes", "--no-input", "--passphrase-file", secret, code=code)


class Liar:
    """Between focalctl and a daemon: what the daemon wants signed is changed on the way."""

    def __init__(self, home, node, change):
        self.node, self.change, self.path = node, change, os.path.join(home.dir, "liar.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        near, _ = self.listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.node.socket)
        threading.Thread(target=self.questions, args=(near, far), daemon=True).start()
        for line in far.makefile():
            said = json.loads(line)
            if "bodies" in said.get("item", {}):
                self.change(said["item"])
                line = json.dumps(said) + "\n"
            near.sendall(line.encode())
        near.close()

    def questions(self, near, far):
        for line in near.makefile():
            self.asked.append(json.loads(line).get("do"))
            far.sendall(line.encode())


def a_daemon_that_lies(home, secret, hq):
    """What is signed is looked at: of whose key it is, and whether it leaves what was shown."""
    def other_key(item):
        item["certificates"] = []

    def less(item):
        item["known"][0]["listed"] = False

    def another_tip(item):
        item["known"][0]["sequence"] += 1

    def another_office(item):
        item["bodies"] = [b.replace("4b454e", "535344") for b in item["bodies"]]        # KEN, SSD

    for change in (other_key, less, another_tip, another_office):
        liar = Liar(home, hq, change)
        done = run(FOCALCTL, "--socket", liar.path, "office", "revoke", "KEN", "--void", "country:KEN", "--yes", "--no-input", "--passphrase-file", secret, "--json", code=tuple(range(1, 100)))
        assert "nothing was signed" in json.loads(done.stderr)["error"]["message"], (change.__name__, done.stderr)
        assert "office.revoke" not in liar.asked and "office.revoke.begin" in liar.asked, liar.asked
        liar.listener.close()
    assert hq.ctl("network", "show")["cuts"] == []


def row(node, other):
    return next(o for o in node.ctl("status")["offices"] if o["code"] == other)


def an_office_that_went_on(home, secret, nodes):
    hq, ken, field, ssd = nodes
    known = new_case(home, ken, outcome="pending")["id"]
    at_ease(nodes)
    pause(ken, ("HQ", "KEN-FIELD", "SSD"), True)
    unknown = new_case(home, ken, outcome="pending")["id"]
    ken.ctl("case", "update", known, "--set", "status=under_investigation")
    assert unknown in listed(ken)

    # Headquarters does not read the country: whoever does has to tell what it holds.
    a_daemon_that_lies(home, secret, hq)
    refused = revoke(hq, secret, "revoke", "KEN", "--reason", "key_stolen", code=1)
    assert "country:KEN" in refused["message"] and "--known" in refused["hint"], refused
    heads = home.file("heads.json", "")
    run(FOCALCTL, "--socket", field.socket, "office", "heads", "KEN", "-o", heads)
    told = json.load(open(heads))
    assert told["by"] == "KEN-FIELD" and any(h["scope"] == "country:KEN" for h in told["heads"]), told
    wrong = json.dumps(dict(told, network="00" * 32))
    assert "another office or network" in revoke(hq, secret, "revoke", "KEN", "--known", home.file("wrong.json", wrong), code=1)["message"]
    # What it wrote before anybody noticed reached one member, and not headquarters.
    pause(field, ("HQ", "SSD"), True)
    ken.ctl("office", "resume", "KEN-FIELD")
    until("KEN-FIELD to have it", lambda: unknown in listed(field) and field.show(unknown)["fields"].get("outcome") == "pending")
    pause(ken, ("KEN-FIELD",), True)
    said = revoke(hq, secret, "revoke", "KEN", "--reason", "key_stolen", "--known", heads)
    pause(field, ("HQ", "SSD"), False)
    assert said["office"] == "KEN" and said["revoked"] is True and any(k["by"] == "KEN-FIELD" for k in said["known"]), said

    for n in (hq, field, ssd):
        until(f"{n.code} to know of it", lambda n=n: row(n, "KEN").get("revoked"))
        assert listed(n) == {known}
    assert field.show(known)["fields"]["outcome"] == "pending", "what its country wrote before is there"

    honest_all_the_same(nodes, known, unknown)

    pause(ken, ("HQ", "KEN-FIELD", "SSD"), False)
    until("KEN to be told", lambda: any("ended the membership" in n["what"] for n in ken.ctl("status")["needs_you"]))
    refused = ken.ctl("case", "new", "--from", home.file("late.json", json.dumps({"country": "KEN"})), code=6)
    assert "taken from this office" in refused["message"], refused
    assert listed(ken) == {known}, "what it wrote beyond the cut counts at its own office no more than elsewhere"

    since = new_case(home, ssd, outcome="pending")["id"]
    at_ease([hq, field, ssd])
    assert {known, unknown, since} == listed(hq) == listed(field) == listed(ssd)
    assert since not in listed(ken) and row(hq, "KEN")["link"] == "up", "it is given statements, and nothing else"
    assert "membership" in row(hq, "KEN")["why"]
    shown = hq.ctl("network", "show")
    assert shown["revoked"] == 1 and shown["cuts"][0]["office"] == "KEN" and shown["cuts"][0]["reason"] == "key_stolen", shown
    assert ken.ctl("network", "show")["cuts"][0]["beyond"] >= 3
    assert hq.ctl("office", "show", "KEN")["state"] == "revoked"
    network = [d["network"] for d in verified([hq, field, ssd])]
    assert network[0] == network[1] == network[2], network
    verified([ken])
    ken.end()
    ken.start()
    assert listed(ken) == {known}, "also after a new start"


def honest_all_the_same(nodes, known, unknown):
    """Beyond the cut, but a member that holds it brings it in again, both parts of it, for all."""
    hq, _, field, ssd = nodes
    assert hq.ctl("rescue", "list")["items"] == []
    rows = {item["id"]: item for item in field.ctl("rescue", "list")["items"]}
    assert set(rows) == {known, unknown} and rows[unknown]["offices"] == ["KEN"] and rows[unknown]["brought_in"] == 0, rows
    assert set(rows[unknown]["scopes"]) == {"network", "country:KEN"} and rows[known]["entries"] == 1, rows
    assert "beyond a cut" in ssd.ctl("rescue", "take", unknown, code=4)["message"], "SSD never had it"
    shown = field.ctl("rescue", "show", unknown)["entries"]
    assert {"outcome": ["pending"]} in [e["fields"] for e in shown] and all(e["office"] == "KEN" and not e["brought_in"] for e in shown), shown
    assert "named as it should" in field.ctl("rescue", "take", unknown, "--entry", "00ff", code=2)["message"]
    first = field.ctl("rescue", "take", unknown, "--entry", shown[0]["entry"])
    assert first["brought_in"] == 1 and sum(e["brought_in"] for e in field.ctl("rescue", "show", unknown)["entries"]) == 1, first
    said = field.ctl("rescue", "take", unknown)
    assert said["id"] == unknown and said["brought_in"] == rows[unknown]["entries"] - 1 and said["without_content"] == 0, said
    assert "brought in before" in field.ctl("rescue", "take", unknown, code=4)["message"]
    assert field.show(unknown)["fields"]["outcome"] == "pending"
    for n in (hq, field, ssd):
        until(f"{n.code} to have it", lambda n=n: listed(n) == {known, unknown})
        assert n.show(known)["fields"].get("status") is None, "that was not brought in"
    assert unknown in hq.show(unknown)["id"] and "outcome" not in hq.show(unknown)["fields"]
    assert "brought in again what a cut had caught of " + unknown in run(FOCALCTL, "--socket", field.socket, "history").stdout


def back_with_a_new_key(home, secret, nodes):
    hq, old, field, ssd = nodes
    old.end()
    assert "member already" in hq.ctl("office", "invite", "SSD", "--country", "SSD", code=1)["message"]
    token = hq.ctl("office", "invite", "KEN", "--country", "KEN")["token"]
    node = home.node("KEN-AGAIN")
    said = node.setup("--join-file", home.file("again.invitation", token + "\n"), "--listen", "127.0.0.1:0")
    node.start()
    until("KEN to knock again", lambda: any(r["id"] == "KEN" and r.get("state") == "waiting" for r in hq.ctl("office", "list")["items"]))
    hq.ctl("office", "admit", "KEN", "--words-file", home.file("again.words", " ".join(said["words"]) + "\n"), "--passphrase-file", secret, "--no-input")
    until("KEN to hold its new membership", lambda: node.ctl("status")["admitted"] and row(node, "HQ")["link"] == "up")
    at_ease([hq, node, field, ssd])
    assert row(hq, "KEN").get("revoked") is None and hq.ctl("office", "show", "KEN")["state"] == "member"
    assert listed(node) == listed(hq)
    # The line of the old key is moved, and the new key is left alone.
    assert "before" in revoke(hq, secret, "revoke", "SSD", "--again", "--void", "country:SSD", code=4)["message"]
    revoke(hq, secret, "revoke", "KEN", "--again", "--void", "country:KEN", "--reason", "key_stolen")
    assert len({c["key"] for c in hq.ctl("network", "show")["cuts"]}) == 1 and hq.ctl("office", "show", "KEN")["state"] == "member"
    made = new_case(home, node, outcome="none")["id"]
    at_ease([hq, node, field, ssd])
    assert made in listed(ssd) and field.show(made)["fields"]["outcome"] == "none"
    verified([hq, node, field, ssd])
    node.end()


def let_go(hq, secret):
    said = revoke(hq, secret, "retire", "KEN-FIELD", "--void", "country:KEN", code=(0, 7))
    assert "revoked" in said or "stand equal" in said["message"], said
    return said if "revoked" in said else None


def a_scope_and_a_right(home, secret, nodes):
    hq, field, ssd = nodes
    left = new_case(home, ssd, outcome="pending")["id"]
    at_ease([hq, field, ssd])
    said = revoke(hq, secret, "revoke", "SSD", "--scope", "country:SSD", "--void", "country:SSD", "--reason", "narrowed")
    assert said["revoked"] is True
    until("SSD to hear of it", lambda: ssd.ctl("network", "show")["cuts"] and len(ssd.ctl("network", "show")["cuts"]) == 2)
    assert left in listed(ssd) and "outcome" not in ssd.show(left)["fields"]
    assert ssd.ctl("case", "new", "--from", home.file("more.json", json.dumps({"country": "SSD", "outcome": "none"})), code=1)["message"]
    assert ssd.ctl("case", "new", "--from", home.file("wide.json", json.dumps({"country": "SSD"})))["id"], "what everybody may see it still records"
    until("SSD to say what nobody else has", lambda: any("country:SSD was taken" in n["what"] and "known to hold" in n["what"] for n in ssd.ctl("status")["needs_you"]))
    revoke(hq, secret, "revoke", "KEN-FIELD", "--right", "redact", "--void", "country:KEN")
    until("the right to go", lambda: any(c["reach"] == "redact" for c in field.ctl("network", "show")["cuts"]))
    assert revoke(hq, secret, "revoke", "NOBODY", code=4)["message"]
    wrong = home.file("wrong.passphrase", "incorrect horse\n")
    assert revoke(hq, wrong, "revoke", "KEN-FIELD", "--void", "country:KEN", code=6)["message"]
    assert row(hq, "KEN-FIELD").get("revoked") is None
    # It is let go only when it stands equal, which it may not in the moment after a change.
    retired = until("KEN-FIELD to stand equal and be let go", lambda: let_go(hq, secret))
    assert retired["revoked"] is True and hq.ctl("office", "show", "KEN-FIELD")["reason"] == "retired"
    by_no_other_command(home, hq)


def by_no_other_command(home, hq):
    """Two persons may be wanted for a cut: by another command, for which they are not, it does not get in."""
    path = home.file("membership.json", "")
    run(FOCALCTL, "--socket", hq.socket, "membership", "export", "KEN-FIELD", "-o", path)
    signed = json.load(open(path))["statements"]
    others = {"office.admit": [], "office.renew": [], "network.policy": []}
    for command, said in others.items():
        for statement in signed:
            try:
                Control(hq).ask(command, statement=statement)
            except Refused as error:
                said.append(str(error))
    assert len(others["network.policy"]) == len(signed) and set(others["network.policy"]) == {"the statement is of another kind"}, others
    assert 0 < len(others["office.admit"]) < len(signed) and set(others["office.admit"]) == {"the statement is of another kind"}, others


def main():
    with Home() as home:
        secret, nodes = found(home)
        an_office_that_went_on(home, secret, nodes)
        back_with_a_new_key(home, secret, nodes)
        del nodes[1]
        a_scope_and_a_right(home, secret, nodes)
        for n in reversed(nodes):
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
