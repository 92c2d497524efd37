#!/usr/bin/env python3
"""Headquarters and two offices, and values that only some of them open: what KEN seals is read at KEN and HQ, SSD carries it and
sees no more than to whom it is sealed; SSD ends two versions it cannot read; other fields are redacted around it; nothing of it
leaves in a file unasked. With the made-up next version, which has a sealed text to search for, it stands in clear in no file of
any office, also behind the encryption of its pages."""

import os
import signal
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from support_cli import OWN
from test_hand import Home, at_ease, bring_in, free_port, new_case, opened, run, until

NEXT = os.environ.get("FOCAL_NEXT_BIN_DIR", "")
TALK = "after market day and under the mango tree"
CONTROL = "Canary Trust of the far lake"
WISH = "feedback_preference"
SEALED = {"sealed_to": ["HQ", "KEN"]}


def use(where):
    hand.FOCALD, hand.FOCALCTL = os.path.join(where, "focald"), os.path.join(where, "focalctl")


def found(home, last=None):
    """HQ, KEN and SSD; the last of them with another program."""
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Sealed", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    ken = bring_in(home, hq, secret, "KEN")
    if last:
        use(last)
    ssd = bring_in(home, hq, secret, "SSD")
    for n in (ken, ssd):
        until(f"the link of {n.code} with HQ", lambda n=n: link(n, "HQ") == "up")
    return hq, ken, ssd


def link(node, other):
    return next((o["link"] for o in node.ctl("status")["offices"] if o["code"] == other), None)


def text_of(node, *words, code=0):
    return run(node.focalctl, "--socket", node.socket, *words, code=code)


def wish(node, ref):
    return node.show(ref)["fields"].get(WISH)


def seen_by_who_should(home, nodes):
    hq, ken, ssd = nodes
    made = new_case(home, ken, status="received", feedback_preference="unsafe")
    ref = made["id"]
    at_ease(nodes)
    for n in (hq, ken):
        assert wish(n, ref) == "unsafe", n.show(ref)
        assert [i["id"] for i in n.ctl("case", "list", "--filter", f"{WISH}=unsafe")["items"]] == [ref]
        text = text_of(n, "case", "show", ref).stdout
        assert "unsafe" in text and "sealed to HQ, KEN" in text, text
    seen = ssd.show(ref)
    assert seen["fields"][WISH] == SEALED and seen["needs_newer"] is False and seen["sealed"] == {WISH: ["HQ", "KEN"]}, seen
    text = text_of(ssd, "case", "show", ref).stdout
    assert "sealed to HQ, KEN" in text and "unsafe" not in text, text
    assert not ssd.ctl("case", "list", "--filter", f"{WISH}=unsafe")["items"]
    assert "unsafe" not in text_of(ssd, "case", "list", "--json-lines").stdout
    # An office that is neither: what it writes is opened by it, by who follows the case up, and by headquarters.
    ssd.ctl("case", "update", ref, "--set", f"{WISH}=not_wanted")
    at_ease(nodes)
    for n in nodes:
        assert wish(n, ref) == "not_wanted" and n.show(ref)["sealed"] == {WISH: ["HQ", "KEN", "SSD"]}, n.show(ref)
    ken.ctl("case", "update", ref, "--set", f"{WISH}=unsafe")
    at_ease(nodes)
    assert wish(ssd, ref) == SEALED
    assert ken.end(signal.SIGKILL) != 0
    ken.start()
    assert wish(ken, ref) == "unsafe"
    until("KEN to be linked again", lambda: link(ken, "HQ") == "up")
    return ref


def who_is_named(nodes, ref):
    hq, ken, ssd = nodes
    ken.ctl("case", "update", ref, "--set", f"{WISH}=wanted", "--seal-to", "SSD")
    at_ease(nodes)
    assert wish(ken, ref) == wish(ssd, ref) == "wanted" and wish(hq, ref) == {"sealed_to": ["KEN", "SSD"]}, hq.show(ref)
    for words, code, part in ((("--set", f"{WISH}=wanted", "--seal-to", "COD"), 4, "COD"), (("--set", "status=received", "--seal-to", "HQ"), 1, "nothing of the change is sealed"),
                              (("--set", f"{WISH}=perhaps"), 1, "not one of its codes"), (("--set", f"{WISH}=wanted", "--seal-to", "HQ,,KEN"), 2, "not a list of offices")):
        said = ken.ctl("case", "update", ref, *words, code=tuple(range(1, 10)))
        assert part in said["message"] and said["hint"], said
        assert said["exit"] == code, said
    assert wish(ken, ref) == "wanted"
    ken.ctl("case", "update", ref, "--set", f"{WISH}=unsafe", "--seal-to", "HQ,KEN")
    at_ease(nodes)
    assert wish(hq, ref) == "unsafe" and wish(ssd, ref) == SEALED


def ended_by_who_cannot_read(nodes, ref):
    hq, ken, ssd = nodes
    ken.ctl("office", "pause", "HQ")
    ken.ctl("office", "pause", "SSD")
    until("the cut", lambda: link(ken, "HQ") == "paused" and link(hq, "KEN") != "up" and link(ssd, "KEN") != "up")
    ken.ctl("case", "update", ref, "--set", f"{WISH}=wanted")
    hq.ctl("case", "update", ref, "--set", f"{WISH}=not_wanted")
    ken.ctl("office", "resume", "HQ")
    ken.ctl("office", "resume", "SSD")
    at_ease(nodes)
    for n, sees in ((ken, ["not_wanted", "wanted"]), (hq, ["not_wanted", "wanted"]), (ssd, [SEALED, SEALED])):
        both = n.show(ref)["conflicts"][WISH]
        assert sorted((v["value"] for v in both), key=str) == sees and {v["office"] for v in both} == {"HQ", "KEN"}, both
    refused = ssd.ctl("case", "resolve", ref, WISH, "--take", "sealed to HQ, KEN", code=4)
    assert "--take-office" in refused["hint"], refused
    assert "sealed to HQ, KEN" in text_of(ssd, "case", "conflicts", ref).stdout
    assert "--take-office" in text_of(ssd, "case", "show", ref).stdout, text_of(ssd, "case", "show", ref).stdout
    ssd.ctl("case", "resolve", ref, WISH, "--take-office", "KEN")
    at_ease(nodes)
    for n in nodes:
        assert not n.show(ref)["conflicts"], n.show(ref)
    assert wish(ken, ref) == wish(hq, ref) == "wanted" and wish(ssd, ref) == SEALED


def in_files(home, nodes, ref):
    hq, ken, ssd = nodes
    for n in nodes:
        for form in ("csv", "jsonl"):
            said = text_of(n, "export", "--format", form)
            assert ref in said.stdout and WISH not in said.stdout and "left out" not in said.stderr, said
    assert not [h for h in ken.ctl("history")["items"] if "unsealed" in h["what"]]
    path = os.path.join(home.dir, "out.csv")
    said = text_of(ken, "export", "--sealed", "-o", path)
    assert "wanted" in open(path).read() and "left out" not in said.stderr
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert [h for h in ken.ctl("history")["items"] if "unsealed" in h["what"]], "who took sealed values out is not in the history"
    said = text_of(ssd, "export", "--sealed", "--format", "jsonl")
    assert ref in said.stdout and WISH not in said.stdout and "left out: 1 sealed value" in said.stderr, said
    rows = home.file("more.csv", f"country,received_quarter,{WISH}\nKEN,2019-Q1,wanted\nKEN,2019-Q2,unsafe\n")
    assert ken.ctl("import", rows)["new"] == 2
    at_ease(nodes)
    assert sorted(i["fields"][WISH] for i in hq.ctl("case", "list", "--filter", "country=KEN")["items"] if i["id"] != ref) == ["unsafe", "wanted"]
    assert [i["fields"][WISH] for i in ssd.ctl("case", "list")["items"]] == [SEALED] * 3
    for n in nodes:
        assert WISH not in text_of(n, "report", "--period", "2018-Q2", "--format", "csv").stdout


def redacted_around_it(nodes, ref):
    hq, ken, ssd = nodes
    said = ken.ctl("case", "redact", ref, "--field", "status", "--reason", "other", "--yes")
    assert said["notices"] == 1, said
    at_ease(nodes)
    for n in nodes:
        assert "status" not in n.show(ref)["fields"], n.show(ref)
    assert wish(ken, ref) == wish(hq, ref) == "wanted" and wish(ssd, ref) == SEALED
    ken.ctl("case", "redact", ref, "--field", WISH, "--reason", "survivor_request", "--yes")
    at_ease(nodes)
    for n in nodes:
        assert WISH not in n.show(ref)["fields"] and n.show(ref)["fields"]["allegation_type"] == "sexual_abuse", n.show(ref)


def readable(needle, *places):
    hits = []
    for place in places:
        for folder, _, files in os.walk(place):
            for path in (os.path.join(folder, name) for name in files):
                content = open(path, "rb").read() if os.path.isfile(path) else b""
                if path.endswith("/focal.db"):
                    content += opened(folder)
                hits += [path] if needle.encode() in content else []
    return hits


def a_text_stands_nowhere(home):
    """HQ and KEN run the next version; SSD today's, which does not know the field, and carries it all the same."""
    use(NEXT)
    hq, ken, ssd = nodes = found(home, last=hand.BIN)
    control = ken.ctl("entity", "new", "--set", f"name={CONTROL}", "--set", "kind=other")["id"]
    ref = new_case(home, ken, made_up_sealed=TALK, status="received")["id"]
    at_ease(nodes)
    for n in (hq, ken):
        assert n.show(ref)["fields"]["made_up_sealed"] == TALK, n.show(ref)
    seen = ssd.show(ref)
    assert seen["needs_newer"] is True and TALK not in str(seen), seen
    hq.ctl("case", "update", ref, "--set", f"made_up_sealed={TALK} alone")
    ssd.ctl("case", "update", ref, "--set", "status=closed_other")
    at_ease(nodes)
    assert ken.show(ref)["fields"]["made_up_sealed"] == TALK + " alone"
    assert ken.ctl("entity", "show", control)["fields"]["name"] == CONTROL
    for n in nodes:
        assert n.end() == 0
        assert readable(CONTROL, n.dir), f"at {n.code} the search finds nothing, whatever is there"
    logs = [n.log for n in nodes]
    assert not readable(TALK, OWN, *(n.dir for n in nodes)), readable(TALK, OWN, *(n.dir for n in nodes))
    assert not any(TALK in open(log, errors="replace").read() for log in logs)
    for n in nodes:
        n.start()
    assert ken.show(ref)["fields"]["made_up_sealed"] == TALK + " alone"


def main():
    with Home() as home:
        nodes = found(home)
        ref = seen_by_who_should(home, nodes)
        who_is_named(nodes, ref)
        ended_by_who_cannot_read(nodes, ref)
        in_files(home, nodes, ref)
        redacted_around_it(nodes, ref)
        for n in nodes:
            assert not n.ctl("verify")["errors"]
        for n in reversed(nodes):
            assert n.end() == 0
    if not os.path.exists(os.path.join(NEXT, "focald")):
        print("sealed: no next version was built here; the text was not searched for")
        return
    with Home() as home:
        a_text_stands_nowhere(home)


if __name__ == "__main__":
    main()
