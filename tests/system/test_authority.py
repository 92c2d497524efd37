#!/usr/bin/env python3
"""A headquarters and an office: the authority's key is replaced with the recovery sheet. Who still holds the old key signs in vain,
what was signed before stays good, wrong input changes nothing."""

import os
import re

from test_hand import Home, bring_in, free_port, until


def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Rotated", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    ken = bring_in(home, hq, secret, "KEN", "KEN")
    until("the link", lambda: ken.ctl("status")["offices"][0]["link"] == "up")
    return secret, hq, ken


def private(home, name, text):
    path = home.file(name, text)
    os.chmod(path, 0o600)
    return path


def rotate(hq, sheet, secret, *more, code=0):
    return hq.ctl("network", "rotate-authority", "--sheet", sheet, "--passphrase-file", secret, "--no-input", *(more or ["--yes"]), code=code)


def keys(hq):
    return sorted(os.listdir(os.path.join(hq.dir, "keys")))


def refused(home, secret, hq, ken):
    before, files = hq.ctl("network", "show"), keys(hq)
    sheet = os.path.join(hq.dir, "recovery-sheet.txt")
    text = open(sheet).read()

    def bad(name, content, code=1):
        error = rotate(hq, private(home, name, content), secret, code=code)
        assert error["hint"] and hq.ctl("network", "show") == before and keys(hq) == files, error
        return error["message"]

    assert "no recovery sheet" in bad("other.txt", "Dear colleague,\n")
    assert "no recovery sheet" in bad("none.txt", "")
    at = text.index("Recovery key")
    for end in (at + 20, at + 60, at + 100):
        assert "cut short" in bad("short.txt", text[:end]) or "check" in bad("short.txt", text[:end])
    place = at + len("Recovery key\n    ")
    turned = "0" if text[place] != "0" else "1"
    assert "mistyped" in bad("typo.txt", text[:place] + turned + text[place + 1:])
    other = home.node("ELSE")
    other.setup("--role", "hq", "--network", "Elsewhere", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    assert "another network" in bad("foreign.txt", open(os.path.join(other.dir, "recovery-sheet.txt")).read(), code=6)
    assert "--yes" in rotate(hq, sheet, secret, "--json", code=2)["hint"]
    assert "headquarters" in rotate(ken, sheet, secret, code=6)["hint"]
    return sheet, text


def apart(ken, on):
    for code in ("HQ", "SSD"):          # either would tell it over the link
        ken.ctl("office", "pause" if on else "resume", code)
    until("the cut", lambda: all((o["link"] == "paused") == on for o in ken.ctl("status")["offices"]))


def main():
    with Home() as home:
        secret, hq, ken = found(home)
        case = ken.ctl("case", "new", "--from", home.file("case.json", '{"country":"KEN","received_date":"2018-05-03","allegation_type":"sexual_abuse"}'))
        sheet, text = refused(home, secret, hq, ken)
        old = os.path.join(home.dir, "stolen.key")
        with open(os.path.join(hq.dir, "keys", "authority.key"), "rb") as a, open(os.open(old, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as b:
            b.write(a.read())
        first = hq.ctl("network", "show")
        assert first["authority_number"] == 0, first

        fresh = home.file("passphrase.new", "another horse battery staple\n")
        # Typed again from the paper: the key and its check alone, in capitals and other groups.
        block = re.search(r"Recovery key\n((?:    .*\n){2})    check (....)", text)
        typed = private(home, "typed.txt", block.group(1).upper().replace(" ", "") + "\ncheck " + block.group(2) + "\n")
        said = rotate(hq, typed, fresh)
        assert said["authority"] != first["authority"] and said["authority_number"] == 1 and {k["office"] for k in said["kept"]} == {"HQ", "KEN"}, said
        assert "authority.key.before-1" in keys(hq) and "authority.key.new" not in keys(hq), keys(hq)
        until("KEN to learn it", lambda: ken.ctl("network", "show")["authority"] == said["authority"])
        assert ken.ctl("network", "show")["statements"] == hq.ctl("network", "show")["statements"]

        # The thief of the old key, at headquarters itself, and the passphrase of the old one on the new.
        stolen = hq.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", secret, "--authority-key", old, code=6)
        assert "an earlier one" in stolen["message"], stolen
        assert "passphrase" in hq.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", secret, code=6)["message"]

        # What the new key signs counts: a renewal, a new office, also over a restart; what was written stays.
        renewed = hq.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", fresh)
        until("KEN to be renewed", lambda: ken.ctl("office", "show", "KEN")["to"] == renewed["membership_to"])
        for n in (hq, ken):
            assert n.end() == 0
            n.start()
        ssd = bring_in(home, hq, fresh, "SSD", "SSD")
        until("SSD to know all", lambda: ssd.ctl("network", "show")["statements"] == hq.ctl("network", "show")["statements"] == ken.ctl("network", "show")["statements"])
        until("the case", lambda: ssd.ctl("case", "show", case["id"])["fields"]["allegation_type"] == "sexual_abuse")

        # Once more, with an office that cannot connect meanwhile: a file brings it what counts now.
        apart(ken, True)
        again = rotate(hq, sheet, secret)
        assert again["authority_number"] == 2
        path = home.file("membership.json", "")
        late = hq.ctl("office", "renew", "KEN", "--no-input", "--passphrase-file", secret, "--file", path)
        took = ken.ctl("membership", "import", path)
        assert took["membership_to"] == late["membership_to"] and ken.ctl("network", "show")["authority"] == again["authority"], took
        apart(ken, False)
        until("one set", lambda: ken.ctl("network", "show")["statements"] == hq.ctl("network", "show")["statements"])
        assert any("rotate-authority" in str(row) for row in hq.ctl("history")["items"])
        # KEN's certificate is of the first authority, and named as good by the recovery key: the key in it is known as KEN's.
        assert hq.ctl("office", "revoke", "KEN", "--void", "country:KEN", "--yes", "--no-input", "--passphrase-file", secret)["revoked"] is True
        until("KEN to hear of it", lambda: any("ended the membership" in n["what"] for n in ken.ctl("status")["needs_you"]))
        for n in (ssd, ken, hq):
            assert n.ctl("verify")["errors"] == []
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
