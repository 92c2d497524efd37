#!/usr/bin/env python3
"""The search that every script here ends with finds what is planted: in a log, in a reply to who may not read, in a file of an
office that does not read the country; and finds nothing where nothing was planted."""
import base64
import os
import secrets
import subprocess
import sys

import support_canary as canary
import support_cli  # noqa: F401
from test_hand import BIN, Home, free_port, new_case, opened

ENTITY = secrets.token_hex(32)


def one_office(home):
    """Headquarters alone, which reads no country; and what stands in its log when it has ended."""
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Canaries", "--office", "HQ", "--country", "SSD", "--listen", f"127.0.0.1:{free_port()}",
             "--passphrase-file", home.file("passphrase", "correct horse battery staple\n"))
    hq.start()
    made = new_case(home, hq, country="SSD", status="under_investigation")
    token = hq.ctl("office", "invite", "KEN", "--country", "KEN")["token"]
    assert hq.end() == 0
    return hq, made, token


def keys(hq):
    said = subprocess.run([os.path.join(BIN, "..", "tests", "focal_sql"), hq.dir, "keys"], capture_output=True, check=True).stdout.split()
    named = dict(zip(said[::2], said[1::2]))
    assert set(named) == {b"store-key", b"node-key", b"network-secret"}, named.keys()
    return {name.decode(): bytes.fromhex(digits.decode()) for name, digits in named.items()}


def planted_in_log(hq, level, text):
    """What is found with one more line in the log."""
    size = os.path.getsize(hq.log)
    with open(hq.log, "ab") as log:
        log.write(f"2026-01-01T00:00:00Z {level} node: it went on ".encode() + text + b" and that was it\n")
    found = list(canary.search())
    os.truncate(hq.log, size)
    return found


def logs(hq, made, token):
    key = keys(hq)
    reference, record = made["id"].encode(), made["record"].encode()
    for text in (reference, record, record.upper(), record[:56], b"sexual_abuse", b"under_investigation"):
        assert planted_in_log(hq, "info", text), f"{text} in a line of level info was not found"
        assert not planted_in_log(hq, "debug", text), f"{text} in a line of level debug is no fault"
    forms = [b"correct horse battery staple", b"correct horse battery staple".hex().encode(), token.encode(), base64.b64encode(token.encode())]
    for whole in key.values():
        for piece in [whole] + [whole[at:at + 32] for at in range(0, len(whole), 32)]:
            forms += [piece.hex().encode(), piece.hex().upper().encode(), base64.b64encode(piece).rstrip(b"="), base64.urlsafe_b64encode(piece)]
    for text in forms:
        assert planted_in_log(hq, "debug", text), f"{text} in a line of level debug was not found"
        assert planted_in_log(hq, "error", text)
    for text in (b"7 entries of 2 logs", b"KEN", b"sexual", record[:16], secrets.token_hex(32).encode()):
        assert not planted_in_log(hq, "error", text), f"{text} tells of nothing"
    # A line that is none of the daemon's own, as a library or a sanitizer writes it.
    with open(hq.log, "ab") as log:
        log.write(b"0x1234 " + record + b"\n")
    assert any("a reference of a record" in hit for hit in canary.search())
    os.truncate(hq.log, os.path.getsize(hq.log) - len(record) - 8)
    assert not canary.search()


def replies(made):
    for said in (made["id"], made["record"], "it is sexual_abuse"):
        canary.reply("a stranger", "no: " + said, ["case", "show", "KEN-0000-0000-0"])
        assert canary.search(), f"{said} to a stranger was not found"
        canary.replies.pop()
        canary.reply("a stranger", "no: " + said, ["case", "show", said])
        assert not canary.search(), "what somebody typed is no news to them"
        canary.replies.pop()


def files(home, hq):
    """A value of a country, entered where it is read; then it stands at an office that does not read it."""
    canary.values_in({"country": "SSD", "concerned_entity": ENTITY})
    canary.files_of(hq.dir, "HQ", opened)
    assert not canary.hits, canary.hits
    canary.countries["HQ"] = {"TCD"}
    for content in (bytes.fromhex(ENTITY), ENTITY.encode()):
        with open(os.path.join(hq.dir, "left-over"), "wb") as f:
            f.write(b"before " + content)
        canary.files_of(hq.dir, "HQ", opened)
        assert canary.hits, "a value of another country in a file was not found"
        canary.hits.clear()
    os.unlink(os.path.join(hq.dir, "left-over"))


def pages(home, hq):
    """Behind the encryption too: what was entered stands in the database of who entered it."""
    hq.start()
    new_case(home, hq, country="SSD", concerned_entity=ENTITY)
    assert hq.end() == 0
    canary.files_of(hq.dir, "HQ", opened)
    assert any("focal.db" in hit for hit in canary.hits), canary.hits
    canary.hits.clear()
    canary.scoped.clear()


def ends_with_one():
    """The program itself, with a line that names a record in its log."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--planted"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "canary: the log of HQ, line" in done.stderr and "a reference of a record" in done.stderr, done


def main():
    with Home() as home:
        hq, made, token = one_office(home)
        if sys.argv[1:] == ["--planted"]:
            with open(hq.log, "ab") as log:
                log.write(f"2026-01-01T00:00:00Z info node: {made['id']} was shown\n".encode())
            return
        assert not canary.search(), canary.hits
        logs(hq, made, token)
        print("what is planted in a log is found, and nothing else")
        replies(made)
        print("so is it in a reply to who may not read")
        files(home, hq)
        pages(home, hq)
        print("and in a file of an office that does not read the country, behind its encryption too")
    ends_with_one()
    print("a script with a hit ends with 1")


if __name__ == "__main__":
    main()
