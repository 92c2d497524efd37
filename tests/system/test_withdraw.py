#!/usr/bin/env python3
"""A headquarters and two offices of one country withdraw cases, edit them and restore them on both sides of a cut link: no edit
revives a withdrawn case, none vanishes, every office that sees the changed part says so, and a person ends it."""

import json

from test_hand import Home, at_ease, bring_in, free_port, new_case, run, until, FOCALCTL

PERIOD = "2018-Q2"


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Withdrawn", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    ken, field = bring_in(home, hq, secret, "KEN"), bring_in(home, hq, secret, "KEN-FIELD", "KEN")
    for n in (ken, field):
        until(f"the link of {n.code} with HQ", lambda n=n: any(o["code"] == "HQ" and o["link"] == "up" for o in n.ctl("status")["offices"]))
    return hq, ken, field


def cut(node, others):
    for other in others:
        node.ctl("office", "pause", other)
    until("the cut", lambda: all(o["link"] == "paused" for o in node.ctl("status")["offices"] if o["code"] in others))


def heal(node, others, nodes):
    for other in others:
        node.ctl("office", "resume", other)
    at_ease(nodes)


def listed(node, *options):
    return {item["id"] for item in node.ctl("case", "list", "--all", *options)["items"]}


def state(node, ref):
    return node.show(ref).get("withdrawal", {}).get("state")


def asked(node, ref):
    return [n["what"] for n in node.ctl("status")["needs_you"] if ref in n["what"]]


def in_conflicts(node, ref):
    return [item for item in node.ctl("case", "conflicts")["items"] if item["id"] == ref]


def left_out(node):
    report = node.ctl("report", "--period", PERIOD)
    return report["allegations"], report["withdrawn"], report["withdrawn_changed"]


def text_of(node, ref):
    return run(FOCALCTL, "--socket", node.socket, "case", "show", ref).stdout


def edited_while_withdrawn(home, nodes):
    hq, ken, field = nodes
    ref = new_case(home, ken, outcome="pending")["id"]
    at_ease(nodes)
    before = left_out(hq)
    cut(ken, ("HQ", "KEN-FIELD"))
    ken.ctl("case", "withdraw", ref, "--reason", "duplicate")
    assert ref not in listed(ken) and ref in listed(ken, "--withdrawn") and state(ken, ref) == "as_seen"
    refused = ken.ctl("case", "update", ref, "--set", "status=received", code=1)
    assert "withdrawn" in refused["message"] and "case restore" in refused["hint"], refused
    field.ctl("case", "update", ref, "--set", "status=under_investigation", "--set", "outcome=dismissed")       # it does not know
    until("the edit at HQ", lambda: hq.show(ref)["fields"].get("status") == "under_investigation")
    heal(ken, ("HQ", "KEN-FIELD"), nodes)
    for n in nodes:
        assert state(n, ref) == "changed", (n.code, n.show(ref))
        assert n.show(ref)["fields"]["status"] == "under_investigation", "the edit vanished"
        assert ref not in listed(n) and ref in listed(n, "--withdrawn"), "the edit revived the case"
        assert ref not in run(FOCALCTL, "--socket", n.socket, "export").stdout
        assert any("changed after it was withdrawn" in what for what in asked(n, ref)), n.ctl("status")["needs_you"]
        assert in_conflicts(n, ref)[0]["withdrawal"]["state"] == "changed"
        assert "changed after it was withdrawn" in text_of(n, ref) and "case restore" in text_of(n, ref)
    assert left_out(hq) == (before[0] - 1, before[1] + 1, before[2] + 1), left_out(hq)
    field.ctl("case", "withdraw", ref, "--reason", "duplicate")                 # as it now is
    at_ease(nodes)
    for n in nodes:
        assert state(n, ref) == "as_seen" and not asked(n, ref) and not in_conflicts(n, ref), n.show(ref)
    assert left_out(hq) == (before[0] - 1, before[1] + 1, before[2]), left_out(hq)


def edited_in_the_country_alone(home, nodes):
    hq, ken, field = nodes
    ref = new_case(home, ken, outcome="pending")["id"]
    at_ease(nodes)
    cut(ken, ("HQ", "KEN-FIELD"))
    ken.ctl("case", "withdraw", ref, "--reason", "entered_in_error")
    field.ctl("case", "update", ref, "--set", "outcome=")                       # takes a value off and writes none
    heal(ken, ("HQ", "KEN-FIELD"), nodes)
    assert state(hq, ref) == "as_seen" and not asked(hq, ref)                   # headquarters sees no country part
    for n in (ken, field):
        assert state(n, ref) == "changed" and asked(n, ref) and in_conflicts(n, ref), n.show(ref)
    ken.ctl("case", "restore", ref)
    at_ease(nodes)
    for n in nodes:
        assert state(n, ref) is None and ref in listed(n) and not asked(n, ref) and not in_conflicts(n, ref), n.show(ref)
    ken.ctl("case", "update", ref, "--set", "outcome=dismissed")


def withdrawn_and_restored_at_once(home, nodes):
    hq, ken, field = nodes
    ref = new_case(home, ken)["id"]
    at_ease(nodes)
    ken.ctl("case", "withdraw", ref, "--reason", "other")
    at_ease(nodes)
    cut(ken, ("HQ", "KEN-FIELD"))
    ken.ctl("case", "restore", ref)
    assert ref in listed(ken)
    field.ctl("case", "withdraw", ref, "--reason", "complainant_request")
    heal(ken, ("HQ", "KEN-FIELD"), nodes)
    for n in nodes:
        shown = n.show(ref)
        assert {v["value"] for v in shown["conflicts"]["withdrawn"]} == {"restored", "complainant_request"}, shown
        assert set(shown["conflicts"]) == {"withdrawn"}, shown
        assert shown["withdrawal"]["reason"] == "complainant_request" and ref not in listed(n), "it counts until a person decides"
        assert asked(n, ref) and in_conflicts(n, ref)
    ken.ctl("case", "resolve", ref, "withdrawn", "--take", "restored")
    at_ease(nodes)
    for n in nodes:
        assert ref in listed(n) and not asked(n, ref) and not in_conflicts(n, ref), n.show(ref)


def withdrawn_by_headquarters(home, nodes):
    hq, ken, field = nodes
    ref = new_case(home, ken, outcome="pending")["id"]
    at_ease(nodes)
    hq.ctl("case", "withdraw", ref, "--reason", "duplicate")
    at_ease(nodes)
    assert state(hq, ref) == "as_seen" and not asked(hq, ref)
    for n in (ken, field):
        assert state(n, ref) == "unseen" and ref not in listed(n), n.show(ref)
        assert any("HQ" in what and "country fields" in what for what in asked(n, ref)), n.ctl("status")["needs_you"]
    ken.ctl("case", "withdraw", ref, "--reason", "duplicate")
    at_ease(nodes)
    for n in nodes:
        assert state(n, ref) == "as_seen" and not asked(n, ref), n.show(ref)


def main():
    with Home() as home:
        nodes = found(home)
        edited_while_withdrawn(home, nodes)
        print("an edit of a withdrawn case is kept, shown, and revives nothing")
        edited_in_the_country_alone(home, nodes)
        print("an edit in the country part alone is shown where that part is seen")
        withdrawn_and_restored_at_once(home, nodes)
        print("a withdrawal and a restoration at once are two versions, and it counts as withdrawn until a person decides")
        withdrawn_by_headquarters(home, nodes)
        print("who does not see the country part may withdraw, and the country is told")
        print(json.dumps(nodes[0].ctl("verify")["digests"]))
        for n in nodes:
            assert n.end() == 0, f"{n.code} did not end cleanly"


if __name__ == "__main__":
    main()
