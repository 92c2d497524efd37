#!/usr/bin/env python3
"""Headquarters and two offices redact: a case and an entity go from every file of every office, and do not come back with an
old copy of a directory; an office that joins afterwards gets the same; what one office redacts of another is hidden until a
second asks as well."""

import os
import secrets
import shutil

from support_cli import OWN
from test_hand import FOCALCTL, PATIENCE, Home, at_ease, bring_in, free_port, new_case, opened, run, sql, until

NAME = "Canary Trust of the far lake"
CODED = [secrets.token_hex(32), secrets.token_hex(32)]          # what a case holds is coded; these are references to nowhere
NEEDLES = [NAME.encode()] + [bytes.fromhex(text) for text in CODED]


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Redacted", "--office", "HQ", "--country", "KEN", "--listen", f"127.0.0.1:{free_port()}",
             "--passphrase-file", secret)
    hq.start()
    ken, ssd = bring_in(home, hq, secret, "KEN"), bring_in(home, hq, secret, "SSD")
    for n in (ken, ssd):
        linked(n)
    assert hq.ctl("office", "show", "HQ")["may_redact"] is True
    assert hq.ctl("office", "show", "KEN")["may_redact"] is False, "a member has no right over what others wrote unless it was given"
    return hq, ken, ssd, secret


def linked(node, other="HQ"):
    until(f"the link of {node.code} with {other}", lambda: any(o["code"] == other and o["link"] == "up" for o in node.ctl("status")["offices"]))


def readable(*places):
    """Which of the needles stand in which file."""
    found_in = []
    for place in places:
        for folder, _, files in os.walk(place):
            for path in (os.path.join(folder, name) for name in files):
                content = open(path, "rb").read() if os.path.isfile(path) else b""      # a socket holds nothing
                if path.endswith("/focal.db"):              # what its key would show, in the file and in the log
                    content += opened(folder)
                found_in += [(path, i) for i, needle in enumerate(NEEDLES) if needle in content]
    return found_in


def rows_of(node):
    """How much the database of a daemon that has ended says of redactions."""
    return {table: int(sql(node, f"SELECT count(*) FROM {table}")[0]) for table in ("hidden", "redaction", "refused")}


def confirmed(node, ref):
    """Office -> true, false or None, the least of all requests about the record."""
    least = {}
    for one in node.ctl("redaction", "show", ref)["redactions"]:
        for c in one["confirmed"]:
            known = least.get(c["office"], True)
            least[c["office"]] = c["confirmed"] if known is True else known
    return least


def stop_and_copy(node, to):
    assert node.end() == 0
    shutil.copytree(node.dir, to)
    node.start()


def put_back(node, copy):
    shutil.rmtree(node.dir)
    shutil.copytree(copy, node.dir)
    node.start()


def nowhere_shown(nodes, ref, entity):
    for n in nodes:
        for noun, gone in (("case", ref), ("entity", entity)):
            said = n.ctl(noun, "show", gone, code=4)
            assert "was redacted" in said["message"] and "redaction show" in said["hint"], said
            assert gone not in {item["id"] for item in n.ctl(noun, "list", "--all")["items"]}, (n.code, noun)
            assert gone not in run(FOCALCTL, "--socket", n.socket, "export", "--kind", noun).stdout
            assert n.ctl(noun, "update", gone, "--set", "status=received" if noun == "case" else "short_name=X", code=4)["message"]
        assert n.ctl("report", "--period", "2018-Q2")["allegations"] == 1, "the other case counts, this one does not"
        assert not n.ctl("case", "conflicts")["items"]
        assert {i["id"] for i in n.ctl("redaction", "list")["items"]} >= {ref, entity}, n.ctl("redaction", "list")


def a_case_goes_from_every_file(home, nodes):
    hq, ken, ssd = nodes
    old = os.path.join(home.dir, "SSD.old")
    entity = ken.ctl("entity", "new", "--set", f"name={NAME}", "--set", "kind=other")["id"]
    ref = new_case(home, ken, concerned_entity=CODED[0], received_date="2018-05-03", outcome="pending", assistance={"medical": "offered"})["id"]
    kept = new_case(home, ken, status="received")["id"]
    at_ease(nodes)
    hq.ctl("case", "update", ref, "--set", f"mailbox={CODED[1]}", "--set", "assistance.medical=accepted", "--set", "outcome=dismissed")
    ssd.ctl("case", "update", ref, "--add", "victims=male.adult")
    at_ease(nodes)
    stop_and_copy(ssd, old)
    linked(ssd)
    ssd_case = new_case(home, ssd, received_quarter="2019-Q1")["id"]
    at_ease(nodes)
    assert ssd.end() == 0
    for n, needles in ((hq, 3), (ken, 3), (ssd, 1)):
        assert len({i for _, i in readable(n.dir)}) == needles, (n.code, readable(n.dir))

    assert "taken back" in ken.ctl("case", "redact", ref, "--reason", "survivor_request", code=2)["message"], "nobody was asked"
    assert "survivor_request" in ken.ctl("case", "redact", ref, "--reason", "because", "--yes", code=2)["hint"]
    for noun, gone in (("case", ref), ("entity", entity)):
        said = ken.ctl(noun, "redact", gone, "--reason", "survivor_request", "--yes")
        assert said["id"] == gone and said["erased"] and not said["part_left"], said
        assert said["notices"] == (2 if noun == "case" else 1) and not said["asked_before"], said
        assert {c["office"]: c["confirmed"] for c in said["confirmed"]}["KEN"] is True, said
        until(f"HQ to confirm the {noun}", lambda gone=gone: confirmed(ken, gone).get("HQ") is True)
        assert confirmed(ken, gone).get("SSD") is not True, "SSD sleeps"
        again = ken.ctl(noun, "redact", gone, "--reason", "other", "--yes")
        assert again["asked_before"] and again["notices"] == 0, again
        assert {c["office"]: c["confirmed"] for c in again["confirmed"]}["HQ"] is True, again
    text = run(FOCALCTL, "--socket", ken.socket, "redaction", "show", ref).stdout
    assert "asked by   KEN" in text and "survivor_request" in text and "erased at 2 of 3; SSD" in text, text
    assert "2 of 3" in run(FOCALCTL, "--socket", ken.socket, "redaction", "list").stdout
    assert not readable(hq.dir, ken.dir, OWN), readable(hq.dir, ken.dir, OWN)
    nowhere_shown((hq, ken), ref, entity)

    put_back(ssd, old)
    linked(ssd)
    until("SSD to confirm", lambda: confirmed(ken, ref).get("SSD") is True and confirmed(ken, entity).get("SSD") is True)
    assert not readable(hq.dir, ken.dir, ssd.dir, OWN), readable(hq.dir, ken.dir, ssd.dir, OWN)
    at_ease(nodes)
    until("the veil of SSD to be lifted", lambda: not ssd.ctl("status")["veiled"])
    assert ssd.show(ssd_case), "what SSD wrote after the copy is back"
    nowhere_shown(nodes, ref, entity)
    assert {r["id"]: r["fields"] for r in ssd.ctl("refused")["items"]} == {ref: ["victims"]}, ssd.ctl("refused")
    assert any("others have redacted 1 entry" in n["what"] for n in ssd.ctl("status")["needs_you"]), ssd.ctl("status")["needs_you"]
    ssd.ctl("refused", "--seen")
    assert not ssd.ctl("status")["needs_you"] or all("redacted" not in n["what"] for n in ssd.ctl("status")["needs_you"])
    # Headquarters may ask as well for what is gone already; where two have asked, no limit of a day counts.
    second = hq.ctl("case", "redact", ref, "--reason", "survivor_request", "--yes")
    assert second["notices"] == 2 and not second["asked_before"] and second["erased"], second
    at_ease(nodes)
    assert [set(i["by"]) for i in ssd.ctl("redaction", "list")["items"] if i["id"] == ref] == [{"KEN", "HQ"}], ssd.ctl("redaction", "list")
    return ref, entity, kept


def one_who_comes_later(home, nodes, secret, ref, entity):
    late = bring_in(home, nodes[0], secret, "TCD", "TCD", "--may-redact")
    linked(late)
    at_ease((*nodes, late))
    assert nodes[1].ctl("office", "show", "TCD")["may_redact"] is True
    nowhere_shown((*nodes, late), ref, entity)
    assert not readable(late.dir), readable(late.dir)
    until("TCD to confirm", lambda: confirmed(nodes[1], ref).get("TCD") is True)
    return late


def a_field_by_headquarters(nodes, kept):
    """Hidden everywhere at once, and erased when the office that wrote it asks as well."""
    hq, ken, ssd, _ = nodes
    refused = ssd.ctl("case", "redact", kept, "--reason", "other", "--yes", code=6)
    assert "right" in refused["message"], refused
    ken.ctl("case", "update", kept, "--set", "status=under_investigation", "--set", "channel=hotline")
    at_ease(nodes)
    before = hq.show(kept)["fields"]
    first = hq.ctl("case", "redact", kept, "--field", "allegation_type", "--reason", "other", "--yes", code=6)
    assert "created" in first["message"], first
    said = hq.ctl("case", "redact", kept, "--field", "channel", "--reason", "identifies_a_person", "--yes")
    assert said["notices"] == 1 and said["entries"] == 1 and not said["erased"], said
    del before["channel"]
    at_ease(nodes)
    for n in nodes:
        assert n.show(kept)["fields"] == before, (n.code, n.show(kept))
        needs = [need for need in n.ctl("status")["needs_you"] if "hidden" in need["what"]]
        assert len(needs) == 1 and needs[0]["command"] == "focalctl redaction list", n.ctl("status")["needs_you"]
    waits = [i for i in ken.ctl("redaction", "list")["items"] if i["what"] == "entry"]
    assert [(i["id"], i["by"], i["state"], i["entry_of"]) for i in waits] == [(kept, ["HQ"], "hidden", "KEN")], waits
    assert {r["id"]: set(r["fields"]) for r in ken.ctl("refused")["items"]} == {kept: {"channel", "status"}}, ken.ctl("refused")
    text = run(FOCALCTL, "--socket", ken.socket, "redaction", "agree", kept, "--reason", "other", "--yes").stdout
    assert "asked as well" in text and "cannot be taken back" in text and "hidden" not in text, text
    at_ease(nodes)
    for n in nodes:
        assert not [need for need in n.ctl("status")["needs_you"] if "hidden" in need["what"]], n.ctl("status")["needs_you"]
        assert [i["state"] for i in n.ctl("redaction", "list")["items"] if i["what"] == "entry"] == ["erased"], n.ctl("redaction", "list")
        assert "channel" not in n.show(kept)["fields"] and n.show(kept)["fields"]["status"] == "under_investigation"
    assert ken.ctl("redaction", "agree", kept, "--reason", "other", "--yes", code=4)["message"]
    until("all to confirm", lambda: set(confirmed(ken, kept).values()) == {True}, PATIENCE)


def a_field_that_one_office_reads(ken, ssd):
    """Nobody could tell it to an older copy, and the one who redacts is told so."""
    for node, alone in ((ssd, True), (ken, False)):         # headquarters reads the country of the one, not of the other
        ref = node.ctl("case", "new", "--set", f"country={node.code}", "--set", "allegation_type=other", "--set", "outcome=pending")["id"]
        text = run(FOCALCTL, "--socket", node.socket, "case", "redact", ref, "--field", "outcome", "--reason", "other", "--yes").stdout
        assert ("No other member reads where it stands" in text) == alone, text


def main():
    with Home() as home:
        *nodes, secret = found(home)
        ref, entity, kept = a_case_goes_from_every_file(home, nodes)
        print("a case and an entity are in no file of any office, and an old copy does not bring them back")
        nodes.append(one_who_comes_later(home, nodes, secret, ref, entity))
        print("who joins afterwards is equal")
        a_field_by_headquarters(nodes, kept)
        print("a field redacted by headquarters is hidden at once and erased when a second office asks")
        a_field_that_one_office_reads(*nodes[1:3])
        print("a field that no other member reads is redacted with a word about older copies")
        for n in nodes:
            assert n.end() == 0, f"{n.code} did not end cleanly"
            assert rows_of(n)["hidden"] == 0 and rows_of(n)["redaction"] > 0, (n.code, rows_of(n))


if __name__ == "__main__":
    main()
