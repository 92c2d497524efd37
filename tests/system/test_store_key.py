#!/usr/bin/env python3
"""The store's key, with real daemons: a directory of a stopped one shows nothing of what was entered, a store under a
passphrase stays shut until it is given, locking takes the links down and unlocking brings them back, a kill -9 in the middle
of a change of keys loses nothing, keys that others can read are refused, what an older program left in clear is taken over,
and destroy leaves noise."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_hand as hand
from test_hand import FOCALCTL, Home, bring_in, run, until

IN_CLEAR = os.path.join(hand.BIN, "..", "tests", "focald_in_clear")
CANARY = "Wanjiru-Amina-Kibera"
KILLS = 10


def files_of(directory):
    for where, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def shows(directory, *words):
    """Files of it that hold one of the words, in this form or with a zero between the letters."""
    found = []
    for path in files_of(directory):
        data = open(path, "rb").read()
        for word in words:
            if word.encode() in data or word.encode("utf-16-le") in data:
                found.append((os.path.basename(path), word))
    return found


def new_case(node, n):
    return node.ctl("case", "new", "--set", "country=KEN", "--set", f"received_date=2026-01-{n % 28 + 1:02}", "--set", "allegation_type=sexual_abuse")["id"]


def linked(node, other, link="up"):
    return any(o["code"] == other and o["link"] == link for o in node.ctl("status").get("offices", []))


def locked(node):
    return node.ctl("status").get("locked", False)


def refused_start(node, *words):
    done = subprocess.run([node.focald, "run", "--dir", node.dir], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env=node.env)
    assert done.returncode == 77, (done.returncode, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def passphrase_and_lock(home, authority):
    """A headquarters under a passphrase and an office with a plain key."""
    secret, wrong = home.file("store.pass", "a passphrase of the store\n"), home.file("wrong.pass", "a passphrase of the shop\n")
    hq = home.node("HQ")
    hq.setup("--role", "hq", "--network", "Sealed", "--office", "HQ", "--country", "KEN", "--passphrase-file", authority, "--listen", f"127.0.0.1:{hand.free_port()}",
             "--store-key", "passphrase", "--store-passphrase-file", secret)
    hq.start()
    said = hq.ctl("status")
    assert said["locked"] and said["passphrase"] and said["offices"] == [], said
    assert "locked" in hq.ctl("case", "list", code=6)["message"]
    error = hq.ctl("unlock", "--passphrase-file", wrong, code=6)
    assert "not the passphrase" in error["message"] and "nothing was changed" in error["hint"], error
    assert locked(hq)
    hq.ctl("unlock", "--passphrase-file", secret)
    assert not locked(hq)
    assert hq.ctl("unlock", "--passphrase-file", secret, code=7)["message"]
    ken = bring_in(home, hq, authority, "KEN") or home.nodes[-1]
    until("the link", lambda: linked(hq, "KEN") and linked(ken, "HQ"))
    assert any("key of the store lies beside it" in n["what"] for n in ken.ctl("status")["needs_you"])
    assert not any("key of the store" in n["what"] for n in hq.ctl("status")["needs_you"])

    ken.ctl("entity", "new", "--set", f"short_name={CANARY}")
    first = new_case(ken, 1)
    until("the case at HQ", lambda: hq.show(first))
    # Locked: nothing is answered, the link goes; what is entered elsewhere meanwhile comes when it is open again.
    hq.ctl("lock")
    assert locked(hq)
    assert hq.ctl("case", "show", first, code=6)
    until("the link to go", lambda: not linked(ken, "HQ"))
    second = new_case(ken, 2)
    hq.ctl("unlock", "--passphrase-file", secret)
    until("what came meanwhile", lambda: hq.show(second), 120)
    assert hq.ctl("verify", "--deep")["errors"] == []
    return hq, ken, secret


def nothing_in_clear(hq, ken, secret):
    assert hq.end() == 0 and ken.end() == 0
    for node in (hq, ken):
        assert shows(node.dir, CANARY, "sexual_abuse", "SQLite format") == [], shows(node.dir, CANARY, "sexual_abuse", "SQLite format")
        for path in files_of(node.dir):
            assert os.stat(path).st_mode & 0o077 == 0, path
    # What is in force there, by its own words, so that the search is known to find something.
    assert shows(ken.dir, "listen") and shows(hq.dir, "focal-store-key-1 passphrase")
    hq.start()
    hq.ctl("unlock", "--passphrase-file", secret)
    assert CANARY in json.dumps(hq.ctl("entity", "list"))


def killed_while_rotating(hq, secret):
    refs = [new_case(hq, n) for n in range(20)]
    begun = time.monotonic()
    assert hq.ctl("store-key", "rotate", "--passphrase-file", secret)["store_key"] == "passphrase"
    takes = time.monotonic() - begun
    for n in range(KILLS):
        asking = subprocess.Popen([FOCALCTL, "--socket", hq.socket, "store-key", "rotate", "--passphrase-file", secret], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            asking.wait(timeout=takes * (n + 1) / KILLS)
        except subprocess.TimeoutExpired:
            pass
        hq.end(signal.SIGKILL)
        asking.wait(timeout=30)
        hq.start()
        hq.ctl("unlock", "--passphrase-file", secret)
        refs.append(new_case(hq, n))
        assert all(hq.show(ref) for ref in refs), f"lost after kill {n}"
        left = [os.path.basename(p) for p in files_of(hq.dir) if re.search(r"\.(old|rekey|tmp)", os.path.basename(p))]
        assert not [p for p in left if not p.endswith(".tmp")], left
    said = hq.ctl("verify", "--deep")
    assert said["errors"] == [], said["errors"]
    assert not hq.ctl("status")["veiled"], "a change of keys is not an old copy"


def ways_of_keeping(home, hq, secret):
    """passphrase -> credential -> both -> plain, each over a restart."""
    lent = os.path.join(home.dir, "lent")
    os.mkdir(lent, 0o700)
    credential = os.path.join(lent, "focal-store-key")
    with open(os.open(credential, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as f:
        f.write(os.urandom(32))
    assert "credential" in hq.ctl("store-key", "change", "--to", "credential", "--passphrase-file", secret, code=6)["message"]
    assert hq.ctl("store-key", "show")["store_key"] == "passphrase", "state unchanged"
    hq.end()
    hq.env = dict(os.environ, CREDENTIALS_DIRECTORY=lent)
    hq.start()
    hq.ctl("unlock", "--passphrase-file", secret)
    assert hq.ctl("store-key", "change", "--to", "credential", "--passphrase-file", secret)["store_key"] == "credential"
    hq.end()
    hq.start()
    assert not locked(hq), "a credential needs nobody"
    other = home.file("other.pass", "another one\n")
    assert hq.ctl("store-key", "change", "--to", "both", "--new-passphrase-file", other)["store_key"] == "both"
    hq.end()
    hq.start()
    assert locked(hq)
    assert hq.ctl("unlock", "--passphrase-file", secret, code=6)["hint"]
    hq.ctl("unlock", "--passphrase-file", other)
    assert hq.ctl("store-key", "change", "--to", "credential", "--passphrase-file", other)["store_key"] == "credential"
    hq.end()
    # Read by its group, gone, another one: each a sentence, and nothing changed.
    os.chmod(credential, 0o440)
    refused_start(hq, credential, "chmod 600")
    os.chmod(credential, 0o400)
    os.rename(credential, credential + ".away")
    refused_start(hq, "there is no credential")
    with open(os.open(credential, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as f:
        f.write(os.urandom(32))
    refused_start(hq, "does not open this store", "nothing was changed")
    os.replace(credential + ".away", credential)
    hq.start()
    assert hq.ctl("store-key", "change", "--to", "plain")["store_key"] == "plain"
    hq.env = None
    hq.end()
    hq.start()
    assert not locked(hq)


def keys_that_others_can_read(ken):
    key = os.path.join(ken.dir, "keys", "store.key")
    os.chmod(key, 0o640)
    refused_start(ken, "store.key", "chmod 600")
    os.chmod(key, 0o600)
    os.rename(key, key + ".away")
    os.symlink(key + ".away", key)
    refused_start(ken, "symbolic link")
    os.unlink(key)
    done = subprocess.run([ken.focald, "run", "--dir", ken.dir], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 65 and "store.key is gone" in done.stderr, done.stderr
    os.rename(key + ".away", key)
    ken.start()


def from_an_older_program(home, hq):
    """Database, private keys: all in clear, and no key of a store."""
    token = hq.ctl("office", "invite", "SSD", "--country", "SSD")["token"]
    ssd = home.node("SSD")
    ssd.focald = IN_CLEAR
    ssd.setup("--join-file", home.file("SSD.invitation", token + "\n"), "--listen", "127.0.0.1:0")
    ssd.focald = hand.FOCALD
    database, keys = os.path.join(ssd.dir, "focal.db"), os.path.join(ssd.dir, "keys")
    assert open(database, "rb").read(15) == b"SQLite format 3"
    seeds = os.urandom(96)
    os.unlink(os.path.join(keys, "store.key"))
    with open(os.path.join(keys, "node.key"), "w") as f:
        f.write("focal-node-1 " + base64.urlsafe_b64encode(seeds).decode().rstrip("=") + "\n")
    os.link(database, os.path.join(home.dir, "witness"))
    ssd.start()
    assert any("key of the store" in n["what"] for n in ssd.ctl("status")["needs_you"])
    assert open(os.path.join(home.dir, "witness"), "rb").read().strip(b"\0") == b"", "the old file is written over"
    assert shows(ssd.dir, "SQLite format", "focal-node-1") == []
    assert sorted(os.listdir(keys)) == ["node.key", "store.key"], os.listdir(keys)
    ssd.end()
    # Only once: a database in clear that is put there later is nobody's.
    os.unlink(database)
    os.unlink(os.path.join(home.dir, "witness"))
    done = run(IN_CLEAR, "setup", "--join-file", os.path.join(home.dir, "SSD.invitation"), "--dir", os.path.join(home.dir, "planted"), "--listen", "127.0.0.1:0",
               "--no-input", "--json")
    assert done.returncode == 0
    os.rename(os.path.join(home.dir, "planted", "focal.db"), database)
    done = subprocess.run([hand.FOCALD, "run", "--dir", ssd.dir], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 65, done.stderr


def destroyed(ken):
    store = os.path.join(ken.dir, "focal.db")
    image = open(store, "rb").read()
    assert len(image) > 8192
    os.link(store, store[:-len("focal.db")] + "witness")
    assert ken.ctl("destroy", code=2)["message"]
    assert "nothing was destroyed" in ken.ctl("destroy", "--confirm", "destroy", code=1)["message"]
    # Somebody who does not read his answers holds the end up for seconds; a stop meanwhile must not leave the rest in place.
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(ken.socket)
        idle.sendall(b'{"focal":"control","version":1}\n' + b"".join(b'{"id":%d,"do":"help"}\n' % n for n in range(1, 250)))
        until("his answers to pile up", lambda: len(idle.recv(1 << 20, socket.MSG_PEEK)) > 4096)
        ken.ctl("destroy", "--confirm", "DESTROY")
        assert ken.process.poll() is None
        ken.process.send_signal(signal.SIGTERM)
        assert ken.process.wait(timeout=30) == 0
    ken.process = None
    assert os.listdir(os.path.join(ken.dir, "keys")) == []
    assert not [n for n in os.listdir(ken.dir) if n.startswith("focal.db")], os.listdir(ken.dir)
    assert open(os.path.join(ken.dir, "witness"), "rb").read().strip(b"\0") == b""
    assert "SSD may keep old blocks" in open(ken.log).read()


def main():
    with Home() as home:
        authority = home.file("authority.pass", "correct horse battery staple\n")
        hq, ken, secret = passphrase_and_lock(home, authority)
        nothing_in_clear(hq, ken, secret)
        killed_while_rotating(hq, secret)
        ways_of_keeping(home, hq, secret)
        keys_that_others_can_read(ken)
        from_an_older_program(home, hq)
        destroyed(ken)
        assert hq.end() == 0
    for shipped in (hand.FOCALD, hand.FOCALCTL):
        names = subprocess.run(["nm", shipped], capture_output=True, text=True).stdout
        assert "focal_sqlite_in_clear" not in names, f"{shipped} could open a store in clear"


if __name__ == "__main__":
    main()
