#!/usr/bin/env python3
"""What focalctl says and does against real daemons, from nothing to two offices, on a terminal where people would be."""
import json
import os
import pty
import select
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from support_cli import CTL, DAEMON, run


def on_terminal(args, typed, until=30):
    """Runs focalctl with a terminal; typed: (prompt to wait for, bytes). Gives exit status, all that was shown, echo at the end."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(CTL, [CTL, *args])
    shown, end = b"", time.monotonic() + until

    def more():
        ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
        try:
            return os.read(fd, 4096) if ready else b""
        except OSError:
            return b""
    for prompt, what in typed:
        at = 0
        while prompt not in shown[at:]:
            part = more()
            if not part:
                raise AssertionError("no %r in %r" % (prompt, shown))
            shown += part
        if b"Passphrase" in prompt:
            while termios.tcgetattr(fd)[3] & termios.ECHO:
                time.sleep(0.01)
        os.write(fd, what)
    while True:
        part = more()
        if not part:
            break
        shown += part
    echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), shown.decode(), echo


class Real(unittest.TestCase):
    """Headquarters and one office, set up, invited and admitted as people do it."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.at, cls.children = cls.dir.name, []
        for name, text in (("pass", "correct horse"), ("wrong", "battery staple")):
            with open(os.open(cls.at + "/" + name, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
                f.write(text + "\n")
        cls.setup("HQ", "--role", "hq", "--network", "Test", "--office", "HQ", "--passphrase-file", cls.at + "/pass")
        cls.start("HQ")

    @classmethod
    def tearDownClass(cls):
        for child in cls.children:
            child.terminate()
            child.wait(timeout=20)
        cls.dir.cleanup()

    @classmethod
    def setup(cls, office, *args):
        done = subprocess.run([DAEMON, "setup", *args, "--dir", cls.at + "/" + office, "--listen", "127.0.0.1:0", "--no-input", "--json"],
                              stdout=subprocess.PIPE, timeout=60, check=True)
        return json.loads(done.stdout)

    @classmethod
    def start(cls, office):
        with open(cls.at + "/" + office + ".log", "w") as log:
            cls.children.append(subprocess.Popen([DAEMON, "run", "--dir", cls.at + "/" + office], stdout=log, stderr=log))
        end = time.monotonic() + 20
        while run("--dir", cls.at + "/" + office, "status").returncode != 0:
            if time.monotonic() > end:
                raise AssertionError(office + " does not answer")
            time.sleep(0.05)

    def ctl(self, office, *args, code=0, **more):
        done = run("--dir", self.at + "/" + office, *args, **more)
        self.assertEqual(done.returncode, code, (args, done.out, done.err))
        return done

    def test_from_nothing_to_a_case_seen_elsewhere(self):
        self.assertEqual(self.ctl("HQ", "office", "admit", "KEN", "--no-input", code=4).out, "")
        told = self.ctl("HQ", "office", "invite", "KEN", "--country", "KEN")
        self.ctl("HQ", "office", "admit", "KEN", "--no-input", "--timeout", "1s", code=8)
        with open(self.at + "/token", "w") as f:
            f.write(told.out)
        words = self.setup("KEN", "--join-file", self.at + "/token")["words"]
        self.start("KEN")
        self.refuse_admission(words)
        code, shown, echo = on_terminal(["--dir", self.at + "/HQ", "office", "admit", "KEN"],
                                        [(b"Eight words: ", " ".join(words[:5]).encode() + b"\n"), (b"and the rest: ", " ".join(words[5:]).upper().encode() + b"\n"),
                                         (b"Passphrase of the authority key: ", b"correct horsf\x7fe\n")])
        self.assertEqual((code, echo), (0, True), shown)
        self.assertIn("KEN is admitted", shown)
        self.assertNotIn("correct", shown)
        again = self.ctl("HQ", "office", "admit", "KEN", "--no-input", "--json")
        self.assertEqual(json.loads(again.out), {"schema": "focal.office.admit/1", "office": "KEN", "admitted": True})
        self.work()

    def refuse_admission(self, words):
        given = self.at + "/words"
        with open(given, "w") as f:
            f.write("\n".join(words))
        admit = ["office", "admit", "KEN", "--no-input", "--words-file", given, "--passphrase-file"]
        self.assertIn("does not open", self.ctl("HQ", *admit, self.at + "/wrong", code=6).err)
        os.chmod(self.at + "/pass", 0o644)
        self.assertIn("chmod 600", self.ctl("HQ", *admit, self.at + "/pass", code=6).err)
        os.chmod(self.at + "/pass", 0o600)
        self.ctl("HQ", *admit, self.at + "/pass", "--authority-key", self.at + "/nothing", code=4)
        self.ctl("HQ", *admit, self.at + "/pass", "--authority-key", self.at + "/pass", code=1)
        swapped = [words[1], words[0]] + words[2:]
        done = self.ctl("HQ", *admit[:-2], "-", "--passphrase-file", self.at + "/pass", code=1, stdin=" ".join(swapped).encode())
        self.assertIn("word 1 ", done.err)
        code, shown, echo = on_terminal(["--dir", self.at + "/HQ", "office", "admit", "KEN", "--words-file", given], [(b"Passphrase of the authority key: ", b"abc\x03")])
        self.assertEqual((code, echo), (1, True), shown)
        self.assertEqual([o["state"] for o in json.loads(self.ctl("HQ", "office", "list", "--json").out)["items"]], ["member", "waiting"])

    def work(self):
        case = b'{"country":"KEN","received_date":"2018-05-03","allegation_type":"sexual_abuse","victims":[{"sex":"female","age":"child"}]}'
        self.ctl("KEN", "status", "--wait", "synced=HQ", "--timeout", "20s")
        made = json.loads(self.ctl("KEN", "case", "new", "--from", "-", "--json", stdin=case).out)
        self.assertEqual(list(made)[:4], ["schema", "id", "record", "version"])
        self.ctl("KEN", "sync", "now", "HQ", "--wait", "--timeout", "20s")
        there = json.loads(self.ctl("HQ", "case", "show", made["id"], "--json").out)
        self.assertEqual(there["fields"]["received_quarter"], "2018-Q2")
        self.assertNotIn("received_date", there["fields"])
        self.assertIn({"office": "HQ", "seen": True}, json.loads(self.ctl("KEN", "case", "show", made["record"], "--json").out)["seen_by"])
        self.ctl("KEN", "case", "show", made["id"][:-1] + ("0" if made["id"][-1] != "0" else "1"), code=4)
        self.ctl("KEN", "case", "update", made["id"], "--set", "status=receivd", code=1)
        self.ctl("KEN", "case", "update", made["id"], "--set", "status=received", "--if-version", "00" * 8, code=7)
        self.ctl("HQ", "office", "pause", "KEN")
        self.ctl("KEN", "case", "update", made["id"], "--set", "channel=hotline")
        self.ctl("HQ", "case", "update", made["id"], "--set", "channel=digital")
        self.ctl("KEN", "sync", "now", "--wait", "--timeout", "1s", code=8)
        self.ctl("HQ", "office", "resume", "KEN")
        self.ctl("HQ", "sync", "now", "--wait", "--timeout", "20s")
        for office in ("HQ", "KEN"):
            conflicts = json.loads(self.ctl(office, "case", "conflicts", "--json").out)
            self.assertEqual({v["value"] for v in conflicts["items"][0]["conflicts"]["channel"]}, {"hotline", "digital"})
        self.ctl("KEN", "case", "resolve", made["id"], "channel", "--take", "letter", code=4)
        self.ctl("KEN", "case", "resolve", made["id"], "channel", "--take-office", "HQ")
        self.ctl("KEN", "case", "resolve", made["id"], "channel", "--take-office", "HQ", code=7)
        self.redact(made["id"])
        self.files()
        self.ctl("KEN", "sync", "now", "--wait", "--timeout", "20s")
        digests = [json.loads(self.ctl(office, "verify", "--json").out)["digests"] for office in ("HQ", "KEN")]
        for scope in set(digests[0]) & set(digests[1]):
            self.assertEqual(digests[0][scope], digests[1][scope], scope)
        rows = {row["of"]: row["seen"] for row in json.loads(self.ctl("KEN", "matrix", "--json").out)["rows"]}
        self.assertEqual(rows["HQ"]["HQ"]["have"], rows["HQ"]["KEN"]["have"])
        self.ctl("KEN", "ping", "HQ")
        self.ctl("KEN", "ping", "SSD", code=4)

    def redact(self, ref):
        """On a terminal the reference is typed again; what is anything else changes nothing."""
        redact, asks = ["--dir", self.at + "/KEN", "case", "redact", ref, "--reason", "entered_in_error"], b"again to go on: "
        for typed, says in ((b"yes\n", "that is not " + ref), (ref[:-1].encode() + b"\n", "that is not"), (b"\x04", "nothing was typed")):
            code, shown, _ = on_terminal(redact, [(asks, typed)])
            self.assertEqual(code, 1, shown)
            self.assertIn(says, shown)
            self.assertIn("nothing was changed", shown)
        self.ctl("KEN", *redact[2:], code=2)
        self.ctl("KEN", "case", "show", ref)
        code, shown, _ = on_terminal(redact, [(asks, ref.lower().encode() + b"\n")])
        self.assertEqual(code, 0, shown)
        self.assertIn("cannot be taken back", shown)
        self.assertIn("was redacted", self.ctl("KEN", "case", "show", ref, code=4).err)

    def files(self):
        """In and out again."""
        path, bad = self.at + "/in.csv", self.at + "/bad.csv"
        with open(path, "w") as f:
            f.write("country,received_quarter,victims,id\n" + "KEN,2018-Q1,female.child;male.adult,\n" * 300
                    + "KEN,2018-Q5,,\nKEN,2018-Q1,,KEN-AAAA-AAAA-A\n")
        before = len(json.loads(self.ctl("KEN", "case", "list", "--all", "--json").out)["items"])
        self.assertIn("line 302: ", self.ctl("KEN", "import", path, code=1).err)
        self.assertEqual(len(json.loads(self.ctl("KEN", "case", "list", "--all", "--json").out)["items"]), before)
        done = json.loads(self.ctl("KEN", "import", path, "--rejects", bad, "--json", code=3).out)
        self.assertEqual((done["new"], [r["line"] for r in done["refused"]]), (300, [302, 303]))
        with open(bad) as f:
            rows = f.read().splitlines()
        self.assertEqual((len(rows), rows[0]), (3, "country,received_quarter,victims,id,refused"))
        self.assertTrue(rows[1].startswith("KEN,2018-Q5,,,") and rows[2].startswith("KEN,2018-Q1,,KEN-AAAA-AAAA-A,"), rows)
        with open(bad, "w") as f:
            f.write(rows[0] + "\nKEN,2018-Q4,,,was wrong\n")
        self.assertEqual(self.ctl("KEN", "import", bad).out, "1 new, 0 updated, 0 refused\n")
        for form in ("csv", "jsonl"):
            out = self.at + "/out." + form
            self.ctl("KEN", "export", "--format", form, "-o", out)
            again = json.loads(self.ctl("KEN", "import", out, "--dry-run", "--json").out)
            self.assertEqual((again["new"], again["updated"], again["refused"]), (0, before + 301, []))
        report = json.loads(self.ctl("KEN", "report", "--period", "2018-Q1", "--json").out)
        self.assertEqual((report["allegations"], report["victims"]), (300, 600))
        self.assertIn("not for release", self.ctl("KEN", "report", "--period", "2018-Q1").out)
        self.ctl("KEN", "report", "--period", "2018-Q9", code=2)
        page = self.ctl("KEN", "case", "list", "--limit", "100", "--json")
        whole, seen = json.loads(page.out), []
        while True:
            seen += [item["id"] for item in whole["items"]]
            if not whole["more"]:
                break
            whole = json.loads(self.ctl("KEN", "case", "list", "--limit", "100", "--after", seen[-1], "--json").out)
        self.assertEqual((len(seen), len(set(seen))), (before + 301, before + 301))


if __name__ == "__main__":
    if not os.path.exists(CTL):
        sys.exit("FOCAL_BIN_DIR does not name a directory with focalctl")
    unittest.main(verbosity=1)
