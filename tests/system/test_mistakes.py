#!/usr/bin/env python3
"""What people get wrong while an office joins: a token cut short, used twice, of an invitation that is over; words mistyped; a
wrong passphrase; a key that others may read; a membership of another network. Each gets a sentence that names the thing, the
rule and the next step, and nothing is changed by it."""

import json
import os

from test_clock import set_clock, with_clock
from test_hand import FOCALCTL, FOCALD, Home, free_port, run, until


def tree(directory):
    """Every file with its bytes and mode; of what is not there, nothing."""
    return {os.path.join(at, name): (open(os.path.join(at, name), "rb").read(), os.stat(os.path.join(at, name)).st_mode)
            for at, _, names in os.walk(directory) for name in names}


def offices(node):
    return [(r["id"], r.get("state")) for r in node.ctl("office", "list")["items"]]


def setup_fails(home, name, token):
    at = os.path.join(home.dir, name)
    done = run(FOCALD, "setup", "--join-file", home.file("bad.token", token), "--dir", at, "--no-input", "--json", code=tuple(range(1, 100)))
    assert not tree(at), "something was left behind"
    error = json.loads(done.stderr)["error"]
    assert error["message"] and error["hint"], error
    return error


def tokens(home, hq, token):
    for bad in (token[:40], token[:-1], token[:60] + ("A" if token[60] != "A" else "B") + token[61:], "", "hello there"):
        error = setup_fails(home, "BAD", bad + "\n")
        assert any(word in error["message"] + error["hint"] for word in ("token", "invitation")), error


def joins(home, hq, token, code="KEN"):
    node = home.node(code)
    said = node.setup("--join-file", home.file("good.token", token + "\n"), "--listen", "127.0.0.1:0")
    node.start()
    until(f"{code} to knock", lambda: (code, "waiting") in offices(hq))
    return node, said["words"]


def words_and_passphrases(home, hq, secret, words):
    before = offices(hq)
    right, wrong_pass = home.file("right.words", " ".join(words) + "\n"), home.file("wrong.pass", "incorrect horse\n")
    for bad in (list(reversed(words)), words[:7], words + ["icon"], words[:7] + ["notaword"], ["icon"] * 8):
        error = hq.ctl("office", "admit", "KEN", "--words-file", home.file("bad.words", " ".join(bad) + "\n"), "--passphrase-file", secret, "--no-input", code=(1, 2, 6))
        assert "word" in error["message"] and error["hint"], error
    error = hq.ctl("office", "admit", "KEN", "--words-file", right, "--passphrase-file", wrong_pass, "--no-input", code=(1, 6))
    assert "passphrase" in error["message"] and error["hint"], error
    assert offices(hq) == before, "nothing was admitted"
    assert hq.ctl("office", "admit", "KEN", "--words-file", right, "--passphrase-file", secret, "--no-input")["admitted"] is True


def a_second_use(home, hq, token):
    """Whoever comes with a token that was used is not admitted, and the first keeps its place."""
    second = home.node("KEN-TWICE")
    second.setup("--join-file", home.file("again.token", token + "\n"), "--listen", "127.0.0.1:0")
    second.start()
    until("it to be refused", lambda: any(o["code"] == "HQ" and o["link"] == "refused" for o in second.ctl("status")["offices"]) or
          any("admit" in n["what"] for n in second.ctl("status")["needs_you"]))
    assert offices(hq).count(("KEN", "member")) == 1 and ("KEN", "waiting") not in offices(hq), offices(hq)
    assert not second.ctl("status")["admitted"]
    said = run(FOCALCTL, "--socket", hq.socket, "office", "admit", "KEN", "--words-file", home.file("any.words", "icon " * 8 + "\n"),
               "--passphrase-file", home.dir + "/passphrase", "--no-input").stdout
    assert "KEN was admitted before" in said, said
    assert not second.ctl("status")["admitted"]
    assert second.end() == 0


def an_invitation_that_is_over(home, hq, secret):
    """Who knocks when it is over is not let in, and is told to ask for another."""
    token = hq.ctl("office", "invite", "TCD", "--country", "TCD", "--expires", "1d")["token"]
    set_clock(hq, 3 * 86400)
    assert ("TCD", "expired") in offices(hq)
    tcd = home.node("TCD")
    words = tcd.setup("--join-file", home.file("tcd.token", token + "\n"), "--listen", "127.0.0.1:0")["words"]
    with_clock(tcd)
    until("TCD to be refused", lambda: any(o["link"] == "refused" for o in tcd.ctl("status")["offices"]))
    assert any("read these words" in n["what"] for n in tcd.ctl("status")["needs_you"]), "by its own clock it is good"
    error = hq.ctl("office", "admit", "TCD", "--words-file", home.file("tcd.words", " ".join(words) + "\n"), "--passphrase-file", secret, "--no-input",
                   "--timeout", "1s", code=(1, 4, 5))
    assert "invitation of TCD is over" in error["message"] and "office invite" in error["hint"], error
    set_clock(tcd, 3 * 86400)
    until("TCD to see that it is over", lambda: any("was good until" in n["what"] and "another" in n["what"] for n in tcd.ctl("status")["needs_you"]))
    assert ("TCD", "expired") in offices(hq), offices(hq)
    set_clock(hq)
    assert tcd.end() == 0


def keys_that_others_may_read(ken):
    assert ken.end() == 0
    for name in ("node.key", "store.key"):
        key = os.path.join(ken.dir, "keys", name)
        mode = os.stat(key).st_mode & 0o777
        os.chmod(key, 0o640)
        before = tree(ken.dir)
        done = run(FOCALD, "run", "--dir", ken.dir, code=tuple(range(1, 100)))
        assert name in done.stderr and "chmod" in done.stderr, done.stderr
        assert tree(ken.dir) == before, "something was written all the same"
        os.chmod(key, mode)
    ken.start()


def of_another_network(home, secret, hq, ken):
    """Its membership in one network is nothing to another: a copy of its keys does not get it in."""
    other = home.node("OTHER")
    other.setup("--role", "hq", "--network", "Another", "--office", "OTHER", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
    other.start()
    token = other.ctl("office", "invite", "KEN", "--country", "KEN")["token"]
    error = setup_over(home, ken, token)
    assert error["message"] and error["hint"], error
    assert other.end() == 0


def setup_over(home, ken, token):
    before = tree(os.path.join(ken.dir, "keys"))
    done = run(FOCALD, "setup", "--join-file", home.file("other.token", token + "\n"), "--dir", ken.dir, "--no-input", "--json", code=tuple(range(1, 100)))
    assert tree(os.path.join(ken.dir, "keys")) == before
    return json.loads(done.stderr)["error"]


def main():
    with Home() as home:
        secret = home.file("passphrase", "correct horse battery staple\n")
        hq = home.node("HQ")
        hq.setup("--role", "hq", "--network", "Mistakes", "--office", "HQ", "--listen", f"127.0.0.1:{free_port()}", "--passphrase-file", secret)
        with_clock(hq)
        token = hq.ctl("office", "invite", "KEN", "--country", "KEN")["token"]
        tokens(home, hq, token)
        ken, words = joins(home, hq, token)
        words_and_passphrases(home, hq, secret, words)
        until("KEN to be a member", lambda: ken.ctl("status")["admitted"])
        print("tokens cut short, words mistyped, a wrong passphrase: each is told, and changes nothing")
        a_second_use(home, hq, token)
        an_invitation_that_is_over(home, hq, secret)
        print("a token used twice, and one of an invitation that is over, admit nobody")
        keys_that_others_may_read(ken)
        of_another_network(home, secret, hq, ken)
        print("keys that others may read, and a place that belongs to another network, are refused")
        for n in (ken, hq):
            assert n.end() == 0, n.code


if __name__ == "__main__":
    main()
