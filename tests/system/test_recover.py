#!/usr/bin/env python3
"""Headquarters' machine is deleted, keys and all. With the recovery sheet and one member's file another takes its place: it is
headquarters again, gets every record, and admits offices. Whoever has the old keys gets nothing; wrong steps change nothing."""

import json
import os
import shutil

from test_hand import Home, bring_in, free_port, opened, run, until

CASE = '{"country":"KEN","received_date":"2018-05-03","allegation_type":"sexual_abuse"}'


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Headed", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    ken, ssd = bring_in(home, hq, secret, "KEN", "KEN"), bring_in(home, hq, secret, "SSD", "SSD")
    hq.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", secret)
    until("one set of statements", lambda: statements(hq) == statements(ken) == statements(ssd))
    return secret, hq, ken, ssd


def statements(node):
    return node.ctl("network", "show")["statements"]


def private(home, name, text):
    path = home.file(name, text)
    os.chmod(path, 0o600)
    return path


def options(files, sheet, secret):
    more = [word for path in files for word in ("--recover", path)]
    return ["--role", "hq", *more, "--sheet", sheet, "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret]


def recover(node, files, sheet, secret):
    return node.setup(*options(files, sheet, secret))


def wrong_steps(home, secret, fresh, network, sheet, other_sheet):
    text, paper = open(network).read(), open(sheet).read()

    def bad(files, page=sheet):
        done = run(fresh.focald, "setup", "--dir", fresh.dir, *options(files, page, secret), "--no-input", "--json", code=tuple(range(1, 100)))
        error = json.loads(done.stderr)["error"]
        assert error["hint"] and not os.path.exists(fresh.dir), error
        return error["message"]

    for at in (0, 1, len(text) // 2, len(text) - 3):
        assert "cut short" in bad([home.file("short.json", text[:at])])
    file = json.loads(text)
    assert "no file of a network" in bad([home.file("what.json", json.dumps(dict(file, what="focal membership 1")))])
    last = file["statements"][-1]
    turned = last[:-1] + ("0" if last[-1] != "0" else "1")
    message = bad([home.file("turned.json", json.dumps(dict(file, statements=file["statements"][:-1] + [turned])))])
    assert "damaged" in message or "not signed" in message, message
    assert "another network" in bad([network, home.file("foreign.json", json.dumps(dict(file, network="00" * 32)))])
    assert "another network" in bad([network], page=other_sheet)
    at = paper.index("Recovery key")
    assert "cut short" in bad([network], page=private(home, "half.txt", paper[:at + 40]))
    assert "no recovery sheet" in bad([network], page=private(home, "letter.txt", "A letter.\n"))


def wrong_files(home, ken, made):
    text = open(made).read()
    file = json.loads(text)
    before = ken.ctl("network", "show")

    def bad(name, content, code=(1, 4, 6, 7)):
        error = ken.ctl("network", "import", home.file(name, content), code=code)
        assert error["hint"] and ken.ctl("network", "show") == before, error
        return error["message"]

    for at in (0, len(text) // 2, len(text) - 3):
        assert "cut short" in bad("short.json", text[:at])
    assert "no file of a new headquarters" in bad("what.json", json.dumps(dict(file, what="focal network 1")))
    assert "another network: Elsewhere" in bad("foreign.json", json.dumps(dict(file, network="00" * 32, label="Elsewhere")))
    turned = file["statements"][0][:-1] + ("0" if file["statements"][0][-1] != "0" else "1")
    message = bad("turned.json", json.dumps(dict(file, statements=[turned] + file["statements"][1:])))
    assert "recovery key" in message or "damaged" in message, message
    assert "damaged" in bad("swapped.json", json.dumps(dict(file, statements=file["statements"][::-1])))


def main():
    with Home() as home:
        secret, hq, ken, ssd = found(home)
        of_hq = hq.ctl("case", "new", "--from", home.file("hq.json", '{"country":"SSD","allegation_type":"sexual_abuse"}'))
        of_ken = ken.ctl("case", "new", "--from", home.file("ken.json", CASE))
        until("what headquarters wrote", lambda: len(ken.ctl("case", "list")["items"]) == len(ssd.ctl("case", "list")["items"]) == 2)
        sheet = private(home, "sheet.txt", open(os.path.join(hq.dir, "recovery-sheet.txt")).read())
        stale = home.file("stale.json", "")
        ken.ctl("network", "export", "-o", stale)
        assert "headquarters is gone" in hq.ctl("network", "export", code=1)["message"]
        # One more renewal, which that file does not know.
        late = hq.ctl("office", "renew", "SSD", "--no-input", "--passphrase-file", secret)
        until("KEN to know it", lambda: statements(ken) == statements(hq) == statements(ssd))

        thief = os.path.join(home.dir, "thief")
        hq.end()
        shutil.copytree(hq.dir, thief, ignore=shutil.ignore_patterns("*.sock"))
        shutil.rmtree(hq.dir)
        assert not os.path.exists(hq.dir)

        other = home.node("ELSE")
        other.setup("--role", "hq", "--network", "Elsewhere", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
        network = home.file("network.json", "")
        ken.ctl("network", "export", "-o", network)
        fresh = home.node("HQ2")
        words = home.file("passphrase.new", "another horse battery staple\n")
        wrong_steps(home, words, fresh, network, sheet, os.path.join(other.dir, "recovery-sheet.txt"))

        # A member's file from before the renewal: the member sees that something would be lost, and takes nothing in.
        early = home.node("EARLY")
        recover(early, [stale], sheet, words)
        before = ken.ctl("network", "show")
        error = ken.ctl("network", "import", os.path.join(early.dir, "for-members.json"), code=7)
        assert "SSD" in error["message"] and "export" in error["hint"] and ken.ctl("network", "show") == before, error

        said = recover(fresh, [network, stale], sheet, words)
        assert said["role"] == "hq" and said["office"] == "HQ" and said["member"] == "KEN" and said["offices"] == 3 and said["words"] is None, said
        made = os.path.join(fresh.dir, "for-members.json")
        wrong_files(home, ken, made)
        fresh.start()
        assert fresh.ctl("status")["role"] == "hq"
        took = ken.ctl("network", "import", made)
        assert took["office"] == "HQ" and took["authority_number"] == 1, took
        assert "known here already" in ken.ctl("network", "import", made, code=1)["message"]

        until("the new headquarters to be linked", lambda: any(o["code"] == "KEN" and o["link"] == "up" for o in fresh.ctl("status")["offices"]))
        until("SSD to find it", lambda: any(o["code"] == "SSD" and o["link"] == "up" for o in fresh.ctl("status")["offices"]))
        until("one set", lambda: statements(fresh) == statements(ken) == statements(ssd))
        until("every record", lambda: {c["id"] for c in fresh.ctl("case", "list")["items"]} == {of_hq["id"], of_ken["id"]})
        assert ssd.ctl("office", "show", "SSD")["to"] == late["membership_to"]
        # It goes on with what the one before wrote, and heads the network.
        fresh.ctl("case", "update", of_hq["id"], "--set", "allegation_type=sexual_exploitation")
        until("the change", lambda: ssd.ctl("case", "show", of_hq["id"])["fields"]["allegation_type"] == "sexual_exploitation")
        tcd = bring_in(home, fresh, words, "TCD", "TCD")
        until("TCD to know all", lambda: statements(tcd) == statements(fresh) == statements(ken))
        renewed = fresh.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", words)
        until("KEN to be renewed", lambda: ken.ctl("office", "show", "KEN")["to"] == renewed["membership_to"])

        # Who has the old machine, with both of its keys: the members do not dial it; it dials a member, admits one of its own, and gets
        # nothing that was written since, nor does anybody believe it.
        old = home.node("THIEF")
        old.dir, old.socket, old.focalctl = thief, os.path.join(thief, "control.sock"), hq.focalctl
        old.start()
        zzz = bring_in(home, old, secret, "ZZZ", "KEN")
        secret_case = ken.ctl("case", "new", "--from", home.file("since.json", CASE))
        until("headquarters to have it", lambda: any(c["id"] == secret_case["id"] for c in fresh.ctl("case", "list")["items"]))
        for node in (old, zzz):
            for member in ("KEN", "SSD"):
                run(node.focalctl, "--socket", node.socket, "sync", "now", member, code=tuple(range(20)))
        until("the thief to hear that it is over", lambda: old.ctl("network", "show")["authority_number"] == 1)
        record = bytes.fromhex(secret_case["record"])       # the key of its rows
        until("its rows to be on the disk", lambda: record in opened(fresh.dir))
        for node in (old, zzz):
            assert record not in opened(node.dir), node.code
        for node in (fresh, ken, ssd):
            assert "ZZZ" not in str(node.ctl("office", "list")), node.code
        for node in (zzz, old):
            assert node.end() == 0
        # Over a restart too, when nobody knows the other from before.
        for n in (fresh, ken):
            assert n.end() == 0
            n.start()
        until("the link again", lambda: any(o["code"] == "KEN" and o["link"] == "up" for o in fresh.ctl("status")["offices"]))
        for n in (tcd, ssd, ken, fresh):
            assert n.ctl("verify")["errors"] == []
        digests = [n.ctl("verify")["digests"]["network"] for n in (ssd, ken, fresh)]
        assert len(set(digests)) == 1, digests
        for n in (tcd, ssd, ken, fresh):
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
