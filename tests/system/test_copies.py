#!/usr/bin/env python3
"""An office's machine is put back to an older state, fence and all, and written on; and a copy of its directory runs beside it.
Every write of both is on every node, all histories verify and are equal, nobody throws the other out, what happened is named
at headquarters and at the office, and the proof of it holds with nothing but a hash and a signature.
And what one copy redacts of a country that its office alone reads stands in no file of the other."""

import glob
import hashlib
import json
import os
import re
import secrets
import shutil

import support_cli
from test_hand import Home, bring_in, free_port, new_case, opened, run, until, FOCALCTL

# ---- the proof, checked by itself: BLAKE2b from the library, Ed25519 as RFC 8032 writes it down ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    assert (x * x - square) % P == 0, "not a point"
    return P - x if x & 1 != sign else x


def point(data):
    y = int.from_bytes(data, "little")
    x = x_of(y & (2**255 - 1), y >> 255)
    y &= 2**255 - 1
    return x, y, 1, x * y % P


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, a)
        a, n = add(a, a), n >> 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point(BASE_Y.to_bytes(32, "little"))


def signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    one, other = times(s, BASE), add(point(signature[:32]), times(k, point(key)))
    return s < L and (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def parts(*all_of_them):
    return hashlib.blake2b(b"".join(len(p).to_bytes(2, "big") + p for p in all_of_them), digest_size=32).digest()


def check_proof(proof):
    """One key signed two chains of one log that leave the same entry."""
    network, author, epoch, scope, log = (bytes.fromhex(proof[k]) for k in ("network", "author", "epoch", "scope", "log"))
    assert log == parts(b"focal log 1", network, author, epoch, scope, bytes([proof["lane"]]))[:16]
    ways = []
    for name in ("one", "other"):
        seq, h, way, tip = proof["base"]["seq"], bytes.fromhex(proof["base"]["h"]), [], proof[name]
        for entry in proof["way_" + name]:
            seq += 1
            assert entry["seq"] == seq
            h = hashlib.blake2b(h + bytes.fromhex(entry["header"]) + bytes.fromhex(entry["c"]), digest_size=32, salt=log).digest()
            way.append(h)
        assert way and (seq, h.hex()) == (tip["seq"], tip["h"]), f"the way {name} does not lead to its tip"
        message = parts(b"focal head 1", network, log, seq.to_bytes(8, "big"), h)
        signature = bytes.fromhex(tip["signature"])
        assert signed(author, message, signature), f"the tip {name} is not signed by that key"
        assert not signed(author, message[:-1] + bytes([message[-1] ^ 1]), signature)
        ways.append(way)
    assert ways[0][0] != ways[1][0], "the ways do not part"


# ---- putting back, copying ----

def found(home):
    secret = home.file("passphrase", "correct horse battery staple\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Copies", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    hq.start()
    offices = bring_in(home, hq, secret, "KEN"), bring_in(home, hq, secret, "KEN-FIELD", "KEN")
    for n in offices:
        until(f"the link of {n.code} with HQ", lambda n=n: links(n).get("HQ") == "up")
    return hq, *offices


def fences(directory):
    """The marks outside of the directory that belong to its database."""
    inodes = {f"{os.stat(f).st_ino:x}" for f in glob.glob(directory + "/*.db") + glob.glob(directory + "/*/*.db")}
    assert inodes, f"no database in {directory}"
    found_ = [f for f in glob.glob(support_cli.OWN + "/*/focal-fence/*") if f.rsplit("-", 1)[-1] in inodes]
    assert found_, "no fence of it"
    return found_


def over(old, new):
    """The old bytes into the present files, so that they stay the same files."""
    with open(old, "rb") as source, open(new, "r+b" if os.path.exists(new) else "wb") as to:
        to.write(source.read())
        to.truncate()


def listen_elsewhere(directory):
    path, = glob.glob(directory + "/*.conf")
    with open(path) as f:
        text, changed = re.subn(r"(?m)^(\s*listen\s*=\s*127\.0\.0\.1:)\d+", lambda m: m.group(1) + str(free_port()), f.read())
    assert changed == 1, text
    with open(path, "w") as f:
        f.write(text)


def put_back(node, backup, marks):
    """As a snapshot of the whole machine is put back: nothing tells the daemon."""
    for at, _, names in os.walk(node.dir):
        for name in names:
            if not os.path.exists(os.path.join(backup, os.path.relpath(os.path.join(at, name), node.dir))):
                os.unlink(os.path.join(at, name))
    for at, _, names in os.walk(backup):
        for name in names:
            old = os.path.join(at, name)
            if os.path.isfile(old):
                over(old, os.path.join(node.dir, os.path.relpath(old, backup)))
    for path, old in marks.items():
        with open(path, "r+b") as to:
            to.write(old)
            to.truncate()


def links(node):
    return {o["code"]: o["link"] for o in node.ctl("status")["offices"]}


def history(node, code):
    return [row for row in node.ctl("history")["items"] if row["code"] == code]


def all_equal(nodes):
    checks = [n.ctl("verify") for n in nodes]
    assert not any(c["errors"] for c in checks), checks
    for scope in set().union(*(c["digests"] for c in checks)):
        if len({c["digests"][scope] for c in checks if scope in c["digests"]}) > 1:
            return False
    return checks


def copy_beside(home, node, of):
    """A second installation from a copy of a directory, with places of its own for its fence."""
    copy = home.node(node.code + "-COPY")
    shutil.copytree(of, copy.dir)
    copy.socket = os.path.join(copy.dir, "control.sock")
    listen_elsewhere(copy.dir)
    copy.env = dict(os.environ, XDG_STATE_HOME=home.dir + "/copy-state", XDG_RUNTIME_DIR=home.dir + "/copy-run")
    return copy


def stands(needle, directory):
    """In a file as it is, or in the database and its log behind their encryption."""
    paths = [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names]
    found = [path for path in paths if os.path.isfile(path) and needle in open(path, "rb").read()]
    return found + [name for name in ["focal.db, opened"] if needle in opened(directory)]


def redacted_at_both():
    """Headquarters relays and does not read the country, so nobody can hand the copy the notice of it."""
    needle = secrets.token_bytes(32)        # what a case holds is coded; this is a reference to nowhere
    with Home() as home:
        secret = home.file("passphrase", "correct horse battery staple\n")
        hq = home.node("HQ")
        hq.setup("--role", "hq", "--network", "Copies", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
        hq.start()
        ken = bring_in(home, hq, secret, "KEN")
        until("the link with HQ", lambda: links(ken).get("HQ") == "up")
        gone, kept = (new_case(home, ken, concerned_entity=n.hex())["id"] for n in (needle, secrets.token_bytes(32)))
        assert ken.end() == 0
        copy = copy_beside(home, ken, ken.dir)
        for n in (ken, copy):
            n.start()
            until("the link with HQ", lambda n=n: links(n).get("HQ") == "up")
        until("the veil of the copy to be lifted", lambda: copy.ctl("status")["veiled"] is False)
        assert stands(needle, ken.dir) and stands(needle, copy.dir)
        ken.ctl("case", "redact", gone, "--reason", "survivor_request", "--yes")
        for n in (ken, copy):
            until(f"the content to be gone from every file of {n.code}", lambda n=n: not stands(needle, n.dir))
            assert n.show(kept) and not n.show(gone)
            assert not n.ctl("verify")["errors"]
        assert history(copy, "redacted"), history(copy, "redacted")
        for n in (hq, ken, copy):
            assert n.end() == 0, f"{n.code} did not end cleanly"
    print("what one copy redacted of a country that only its office reads is gone from the files of both")


def main():
    redacted_at_both()
    with Home() as home:
        hq, ken, field = found(home)
        first = new_case(home, ken)["id"]
        until("receipts of the first case", lambda: all(s["seen"] for s in ken.show(first)["seen_by"]))
        assert ken.end() == 0
        backup = os.path.join(home.dir, "backup")
        shutil.copytree(ken.dir, backup)
        marks = {f: open(f, "rb").read() for f in fences(ken.dir)}

        ken.start()
        before = [new_case(home, ken)["id"] for _ in range(3)]
        until("the cases that the old state does not know", lambda: all(hq.show(c) and field.show(c) for c in before))
        for n in (ken, field, hq):
            assert n.end() == 0
        put_back(ken, backup, marks)
        ken.start()             # nobody is there to tell it
        assert not ken.show(before[0]) and ken.ctl("status")["veiled"] is False
        after = [new_case(home, ken)["id"] for _ in range(2)]

        copy = copy_beside(home, ken, backup)
        copy.start()            # it finds no fence: records are veiled, writing goes on
        assert copy.ctl("status")["veiled"] is True
        refused = copy.ctl("case", "list", code=6)
        assert "veiled" in refused["message"] and "sync now" in refused["hint"], refused
        beside = [new_case(home, copy)["id"] for _ in range(2)]
        print("put back and copied; both wrote")

        hq.start()
        field.start()
        nodes, everything = (hq, ken, copy, field), [first] + before + after + beside
        until("the veil of the copy to be lifted", lambda: copy.ctl("status")["veiled"] is False)
        for n in nodes:
            until(f"every write of both at {n.code}", lambda n=n: all(n.show(c) for c in everything))
        checks = until("equal digests", lambda: all_equal(nodes))
        assert len({c["digests"]["network"] for c in checks}) == 1 and len({c["digests"]["control"] for c in checks}) == 1
        print("all writes of both are on all nodes; every history verifies, and they are equal")

        assert {row["code"] for row in history(copy, "veiled") + history(copy, "unveiled")} == {"veiled", "unveiled"}
        for node, who in ((hq, "KEN"), (ken, "this office"), (copy, "this office"), (field, "KEN")):
            said = f"{who} signed two branches of one log"
            assert any(said in row["what"] for row in until("the incident", lambda node=node: history(node, "incident"))), history(node, "incident")
            assert any(said in need["what"] for need in node.ctl("status")["needs_you"]), node.ctl("status")["needs_you"]
        fork = next(row for row in history(hq, "incident") if "two branches" in row["what"])
        path = os.path.join(home.dir, "proof.json")
        run(FOCALCTL, "--socket", hq.socket, "history", "--proof", str(fork["incident"]), "-o", path)
        proof = json.load(open(path))
        assert proof["kind"] == "fork" and proof["office"] == "KEN", proof
        check_proof(proof)
        assert hq.ctl("history", "--proof", "999", code=4)["message"]
        print("named at headquarters and at the office; the proof holds by itself")

        until("both to be told that the other lives", lambda: any("two copies of KEN" in row["what"] for row in history(hq, "incident")), patience=180)
        assert links(ken)["HQ"] == links(copy)["HQ"] == links(hq)["KEN"] == "up"
        late = [new_case(home, n)["id"] for n in (hq, ken, copy)]
        for n in nodes:
            until(f"late cases at {n.code}", lambda n=n: all(n.show(c) for c in late))
        until("equal digests", lambda: all_equal(nodes))
        assert len([row for row in history(hq, "incident") if "two copies" in row["what"]]) == 1
        print("both copies keep their links, and it is said once that two are alive")
        for n in nodes:
            assert n.end() == 0, f"{n.code} did not end cleanly"


if __name__ == "__main__":
    main()
