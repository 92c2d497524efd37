#!/usr/bin/env python3
"""What focalctl says and does: against a daemon played by this script, so that every answer, also a wrong one, can be given."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support_cli import CTL, REF, run

CODES = {"not_found": 7, "conflict": 10, "partial": 11, "busy": 14, "denied": 15, "timeout": 16, "refused": 6}


class Fake:
    """A daemon that answers as told. answers: verb -> list of bodies, or function of `with` that gives one.
    A body is ("item", {...}), ("end", {...}), ("error", status, exit, message), ("raw", bytes), ("close",), ("wait", s)."""

    def __init__(self, answers, greeting=b'{"focal":"control","version":1,"program":"0.1.0"}\n'):
        self.answers, self.greeting, self.heard = answers, greeting, []
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "control.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.server = threading.Thread(target=self.serve, daemon=True)
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Not closed while the thread may still accept: the number of the file would soon be that of the next listener.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.server.join()
        self.listener.close()
        self.dir.cleanup()

    def serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()

    def talk(self, conn):
        try:
            conn.sendall(self.greeting)
            lines = conn.makefile("rb")
            lines.readline()
            for line in lines:
                request = json.loads(line)
                self.heard.append((request["do"], request.get("with")))
                if not self.answer(conn, request):
                    break
        except OSError:
            pass
        finally:
            conn.close()

    def answer(self, conn, request):
        n, bodies = request["id"], self.answers.get(request["do"], [("error", 19, 1, "no such command")])
        if callable(bodies):
            bodies = bodies(request.get("with") or {})
        for body in bodies:
            if body[0] == "close":
                return False
            if body[0] == "wait":
                time.sleep(body[1])
                continue
            if body[0] == "raw":
                conn.sendall(body[1])
                continue
            if body[0] == "error":
                value = {"code": "FD-%03d" % body[1], "exit": body[2], "message": body[3], "hint": "look there"}
            else:
                value = body[1]
            conn.sendall(json.dumps({"id": n, body[0]: value}).encode() + b"\n")
        return True

    def run(self, *args, **more):
        return run("--socket", self.path, *args, **more)



END = ("end", {"status": "ok"})
LAST = ("end", {"status": "ok", "more": False})


class Usage(unittest.TestCase):
    def test_help_begins_with_examples(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.out.startswith("Examples\n"))
        self.assertEqual(run("--version").out, "focalctl 0.1.0\n")

    def test_every_verb_has_help(self):
        verbs = ["status", "matrix", "sync now", "ping", "verify", "import", "export", "report", "office invite", "office admit",
                 "office list", "office show", "office pause", "office resume", "redaction list", "redaction show", "redaction agree", "refused",
                 "case withdraw", "case restore", "approve", "request list", "request refuse"]
        verbs += [n + " " + v for n in ("case", "entity", "focal-point", "endorsement", "nil-return")
                  for v in ("new", "list", "show", "update", "conflicts", "resolve", "redact")]
        for verb in verbs:
            done = run(*verb.split(), "--help")
            self.assertEqual(done.returncode, 0, verb)
            self.assertTrue(done.out.startswith("Examples\n  focalctl "), verb)
            self.assertIn("focalctl " + verb, done.out)
            self.assertNotIn("NOUN", done.out, verb)
            self.assertEqual(run("help", *verb.split()).out, done.out)

    def test_wrong_usage_is_said_in_two_lines(self):
        wrong = [[], ["stauts"], ["case"], ["case", "lst"], ["case", "show"], ["case", "show", "A", "B"], ["status", "--jsn"], ["nonsense", "--help"],
                 ["case", "list", "--limit"], ["case", "list", "--limit", "x"], ["case", "list", "--limit=-1"], ["case", "new"],
                 ["case", "new", "--set", "status"], ["case", "new", "--set", "=x"], ["case", "new", "--set", "staus=received"],
                 ["case", "update", REF], ["case", "resolve", REF, "status"], ["case", "resolve", REF, "status", "--take", "a", "--take-office", "HQ"],
                 ["import", "x"], ["import", "x", "--format", "xml"], ["import", "x.csv", "--kind", "opening"], ["export", "--format", "xls"],
                 ["report", "--format", "pdf"], ["sync"], ["sync", "now", "--timeout", "soon"], ["office", "invite", "KEN", "--expires", "36h"],
                 ["--color", "blue", "status"], ["--socket"], ["case", "list", "--filter", "nothing=1"], ["status", "--wait"], ["ping"],
                 ["case", "redact", REF], ["case", "redact", REF, "--reason", "other"], ["case", "redact", REF, "--reason", "other", "--no-input"],
                 ["redaction", "agree", REF, "--yes"], ["redaction", "show"], ["refused", REF], ["approve"], ["approve", "x"], ["approve", "0"], ["request", "refuse", "-1"]]
        for args in wrong:
            done = run(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertEqual(done.out, "", args)
            self.assertLessEqual(len(done.err.splitlines()), 2, args)
            self.assertTrue(done.err.startswith("focalctl: "), args)

    def test_many_options_in_one_word(self):
        self.assertEqual(run("-" + "h" * 5000).returncode, 0)
        self.assertEqual(run("status", "-" + "h" * 5000).returncode, 0)

    def test_nearest_names(self):
        self.assertIn('"status"', run("stauts").err)
        self.assertIn('"case list"', run("case", "lst").err)
        self.assertIn("--limit", run("case", "list", "--limt", "3").err)
        self.assertIn("received_date", run("case", "new", "--set", "recieved_date=2018-05-03").err)

    def test_nobody_listens(self):
        with tempfile.TemporaryDirectory() as empty:
            done = run("--dir", empty, "status")
            self.assertEqual(done.returncode, 5)
            self.assertIn("focald run --dir " + empty, done.err)
            done = run("status", "--dir", empty, "--json")
            error = json.loads(done.err)["error"]
            self.assertEqual((error["code"], error["exit"]), ("FD-017", 5))
            self.assertEqual(done.out, "")
            self.assertIn("/else.sock", run("status", env={"FOCAL_SOCKET": empty + "/else.sock"}).err)
            dead = socket.socket(socket.AF_UNIX)
            dead.bind(empty + "/control.sock")
            dead.close()
            self.assertEqual(run("--dir", empty, "status").returncode, 5)


STATUS = {"office": "KEN", "role": "office", "waiting": 3, "network": "Example", "admitted": True, "membership_to": "2027-11-23",
          "membership_days": 365, "program": "0.1.0", "up_s": 273600, "store_bytes": 3100000,
          "offices": [{"code": "HQ", "link": "up", "last_heard_s": 240, "they_lack": 3, "we_lack": 0, "why": None},
                      {"code": "COD", "link": "refused", "last_heard_s": None, "they_lack": None, "we_lack": None, "why": "expired\x1b[2J\u202e"}],
          "needs_you": [{"what": REF + ' has two versions of "status"', "command": "focalctl case conflicts " + REF}]}


class Answers(unittest.TestCase):
    def test_status(self):
        with Fake({"status": [("item", STATUS), END]}) as fake:
            text = fake.run("status")
            self.assertEqual(text.returncode, 0, text.err)
            for part in ("Office    KEN", "3 d 4 h", "OFFICE  LINK", "Needs you (1)", "4 min", "never"):
                self.assertIn(part, text.out)
            self.assertNotIn("\x1b", text.out)
            self.assertNotIn("\u202e", text.out)
            done = fake.run("status", "--json", "--wait", "synced=HQ", "--timeout", "2m")
            self.assertTrue(done.out.startswith('{"schema":"focal.status/1",'))
            self.assertEqual(json.loads(done.out)["offices"][0]["they_lack"], 3)
            self.assertEqual(fake.heard[-1], ("status", {"wait": "synced=HQ", "timeout_ms": 120000}))

    def test_color(self):
        with Fake({"status": [("item", STATUS), END]}) as fake:
            self.assertIn("\x1b[1m", fake.run("--color", "always", "status").out)
            self.assertNotIn("\x1b", fake.run("--color", "always", "status", "--color=never").out)
            self.assertNotIn("\x1b", fake.run("status", env={"NO_COLOR": "1"}).out)

    def test_daemons_errors_become_exit_status(self):
        for status, code in (("not_found", 4), ("conflict", 7), ("busy", 9), ("denied", 6), ("timeout", 8), ("refused", 1)):
            with Fake({"case.show": [("error", CODES[status], code, "no such thing here")]}) as fake:
                done = fake.run("case", "show", REF)
                self.assertEqual((done.returncode, done.out), (code, ""))
                self.assertIn("no such thing here (FD-%03d)\n  look there" % CODES[status], done.err)
                error = json.loads(fake.run("case", "show", REF, "--json").err)["error"]
                self.assertEqual((error["exit"], error["message"]), (code, "no such thing here"))

    def test_a_daemon_that_misbehaves(self):
        for bodies, code in (([("raw", b"nonsense\n")], 1), ([("close",)], 5), ([("raw", b'{"id":1,"item":' + b"[" * 99 + b"\n")], 1),
                             ([("raw", b"\xff\xfe\n")], 1), ([("item", STATUS), ("close",)], 5)):
            with Fake({"status": bodies}) as fake:
                done = fake.run("status")
                self.assertEqual(done.returncode, code, bodies)
                self.assertEqual(done.out, "")
        with Fake({}, greeting=b'{"focal":"control","version":2}\n') as fake:
            self.assertEqual(fake.run("status").returncode, 1)
        with Fake({}, greeting=b"220 mail.example.org\n") as fake:
            self.assertEqual(fake.run("status").returncode, 1)

    def test_new_and_update_send_fields(self):
        made = [("item", {"id": REF, "record": "ab" * 32, "version": "5d0c11aa90be3f27"}), END]
        with Fake({"case.new": made, "case.update": made, "nil-return.new": made}) as fake:
            done = fake.run("case", "new", "--from", "-", "--set", "status=received", "--add", "victims=male.adult;female.child",
                            stdin=b'{"country":"KEN","victims":[{"sex":"female","age":"child"}]}')
            self.assertEqual((done.returncode, done.out), (0, REF + "\n"), done.err)
            self.assertEqual(fake.heard[-1], ("case.new", {"fields": {
                "country": "KEN", "victims": [{"sex": "female", "age": "child"}, "male.adult", "female.child"], "status": "received"}}))
            done = fake.run("--json", "case", "update", REF, "--set", "assistance.medical=offered", "--set", "channel=", "--add", "victims=female.child",
                            "--remove", "victims=9f3a2c11.0", "--remove", "assistance.legal", "--if-version", "00", "--day", "2018-05-04")
            self.assertEqual(done.returncode, 2)        # --remove needs FIELD=ROW
            done = fake.run("--json", "case", "update", REF, "--set", "assistance.medical=offered", "--set", "channel=", "--add", "victims=female.child",
                            "--remove", "victims=9f3a2c11.0", "--if-version", "00", "--day", "2018-05-04")
            self.assertEqual(json.loads(done.out), {"schema": "focal.case.update/1", "id": REF, "record": "ab" * 32, "version": "5d0c11aa90be3f27"})
            self.assertEqual(fake.heard[-1], ("case.update", {
                "ref": REF, "set": {"assistance": {"medical": "offered"}, "channel": None}, "add": {"victims": ["female.child"]},
                "remove": {"victims": ["9f3a2c11.0"]}, "if_version": "00", "day": "2018-05-04"}))
            self.assertEqual(fake.run("nil-return", "new", "--set", "period=2018-Q2").returncode, 0)
            for bad in (b"[]", b"{", b'{"a":1,"a":2}', b"", b"{}"):
                done = fake.run("case", "new", "--from", "-", stdin=bad)
                self.assertIn(done.returncode, (1, 2), bad)
                self.assertNotEqual(done.returncode, 0)
            self.assertEqual(fake.run("case", "new", "--from", "/nonexistent").returncode, 4)

    def test_list(self):
        rows = [("item", {"id": "KEN-%d" % i, "fields": {"country": "KEN", "victims": [{}, {}]}, "two_versions": i % 2}) for i in range(3)]
        with Fake({"case.list": rows + [("end", {"status": "ok", "more": True})]}) as fake:
            text = fake.run("case", "list", "--limit", "3", "--after", "KEN-X", "--filter", "status=received")
            self.assertEqual(fake.heard[-1], ("case.list", {"limit": 3, "after": "KEN-X", "filter": {"status": "received"}}))
            self.assertEqual([line.split()[0] for line in text.out.splitlines()], ["REFERENCE", "KEN-0", "KEN-1", "KEN-2"])
            self.assertIn("--after KEN-2", text.err)
            whole = json.loads(fake.run("case", "list", "--json").out)
            self.assertEqual((whole["schema"], len(whole["items"]), whole["more"]), ("focal.case.list/1", 3, True))
            lines = fake.run("case", "list", "--json-lines").out.splitlines()
            self.assertEqual([json.loads(line)["id"] for line in lines], ["KEN-0", "KEN-1", "KEN-2"])
        with Fake({"case.list": rows + [("error", 22, 1, "stopped")]}) as fake:
            done = fake.run("case", "list", "--json")
            self.assertEqual(done.returncode, 1)
            with self.assertRaises(ValueError):         # half a list must not look whole
                json.loads(done.out)

    def test_reader_leaves(self):
        rows = [("item", {"id": "KEN-%05d" % i, "fields": {"country": "KEN"}}) for i in range(20000)]
        with Fake({"case.list": rows + [LAST]}) as fake:
            shell = "'%s' --socket '%s' case list --json-lines; echo status $? >&2" % (CTL, fake.path)
            done = subprocess.run(["bash", "-c", "( %s ) | head -1" % shell], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.stdout.count(b"\n"), 1)
            self.assertEqual(done.stderr, b"status 0\n")

    def test_show(self):
        record = {"id": REF, "record": "ab" * 32, "version": "5d0c11aa90be3f27", "office": "KEN", "complete": True,
                  "fields": {"country": "KEN", "status": "received", "victims": [{"sex": "female", "age": "child"}], "field-999": "needs a newer program",
                             "assistance": {"medical": "offered"}},
                  "conflicts": {"status": [{"value": "received", "office": "KEN"}, {"value": "substantiated", "office": "HQ", "day": "2026-11-20"}]},
                  "rows": {"victims": [{"row": "9f3a2c11.0", "value": "female.child", "office": "KEN"}]},
                  "seen_by": [{"office": "HQ", "seen": True}, {"office": "SSD", "seen": False}, {"office": "COD", "seen": None}]}
        with Fake({"case.show": [("item", record), END]}) as fake:
            text = fake.run("case", "show", REF).out
            for part in ("Kenya", "two versions", "substantiated   by HQ, 2026-11-20", "row 9f3a2c11.0 by KEN", "medical: offered", "needs a newer program",
                         "case resolve %s status --take received" % REF):
                self.assertIn(part, text)
            self.assertRegex(text, r"Seen by +HQ\n")
            self.assertRegex(text, r"Not yet seen by +SSD\n")
            self.assertRegex(text, r"Not known of +COD\n")
            self.assertEqual(json.loads(fake.run("case", "show", REF, "--json").out)["schema"], "focal.case.show/1")

    def test_foreign_text_does_not_steer_the_terminal(self):
        record = {"id": REF, "record": "ab" * 32, "version": "5d0c11aa90be3f27", "office": "K\x1b[2J", "complete": True, "fields": {"victims": ["x"]},
                  "conflicts": {}, "rows": {"victims": [{"row": "1.0\x1b]0;", "value": "fe\x1b[31mmale", "office": "\x9b31m"}]},
                  "seen_by": [{"office": "\x1bc", "seen": True}]}
        with Fake({"case.show": [("item", record), END]}) as fake:
            text = fake.run("case", "show", REF).out
            self.assertIn("fe?[31mmale", text)
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_conflicts_and_resolve(self):
        item = {"id": REF, "conflicts": {"channel": [{"value": "hotline", "office": "KEN"}, {"value": "digital", "office": "HQ"}]}}
        with Fake({"case.conflicts": [("item", item), LAST], "case.resolve": [("item", {"id": REF, "version": "00"}), END]}) as fake:
            text = fake.run("case", "conflicts").out.splitlines()
            self.assertEqual(text[1].split(), [REF, "channel", "hotline", "KEN", "-"])
            self.assertEqual(text[2].split(), ["digital", "HQ", "-"])
            self.assertEqual(fake.run("case", "resolve", REF, "channel", "--take-office", "HQ").returncode, 0)
            self.assertEqual(fake.heard[-1], ("case.resolve", {"ref": REF, "field": "channel", "take_office": "HQ"}))

    def test_redact(self):
        confirmed = [{"office": "HQ", "confirmed": True, "last_heard_s": 4}, {"office": "KEN", "confirmed": True},
                     {"office": "SSD", "confirmed": False, "last_heard_s": 172800}, {"office": "TCD", "confirmed": None, "last_heard_s": None}]
        whole = {"id": REF, "record": "00", "asked_before": False, "notices": 1, "entries": 0, "part_left": True, "left_to": ["KEN", "KEN-2"],
                 "erased": True, "confirmed": confirmed}
        field = whole | {"field": "status", "entries": 2, "part_left": False, "left_to": None, "erased": False}
        one = {"what": "entry", "entry_of": "KEN", "scopes": ["network"], "by": ["HQ"], "reasons": ["other"], "state": "hidden", "confirmed": confirmed, "id": REF}
        lost = {"id": REF, "kind": "case", "fields": ["status", "chan\x1bnel"]}
        with Fake({"case.redact": lambda w: [("item", field if "field" in w else whole), END], "redaction.show": [("item", {"id": REF, "redactions": [one]}), END],
                   "redaction.list": [("item", one), LAST], "refused": lambda w: [("item", {"seen": True}), END] if w.get("seen") else [("item", lost), LAST]}) as fake:
            text = fake.run("case", "redact", REF, "--reason", "retention", "--yes").out
            self.assertEqual(fake.heard[-1], ("case.redact", {"ref": REF, "reason": "retention"}))
            for part in ("is redacted.", "cannot be taken back", "Who can redact those: KEN, KEN-2.", "Erased at 2 of 4; SSD not heard from for 2 d; TCD not heard from\n"):
                self.assertIn(part, text)
            text = fake.run("case", "redact", REF, "--reason", "other", "--field", "status", "--yes", "--no-input").out
            for part in ('the field "status" is redacted, in 2 entries', "focalctl redaction agree " + REF, "Hidden at 2 of 4"):
                self.assertIn(part, text)
            self.assertNotIn("No other member", text)
            self.assertEqual(json.loads(fake.run("case", "redact", REF, "--reason", "other", "--yes", "--json").out), {"schema": "focal.case.redact/1"} | whole)
            self.assertIn("one entry of KEN, in network\n  asked by   HQ\n  because    other\n  here       hidden; it waits", fake.run("redaction", "show", REF).out)
            self.assertEqual(fake.run("redaction", "list").out.splitlines()[1].split(), [REF, "entry", "network", "HQ", "hidden", "2", "of", "4"])
            self.assertEqual(fake.run("refused").out.splitlines()[1].split(), [REF, "case", "status,", "chan?nel"])
            self.assertEqual(json.loads(fake.run("refused", "--json").out), {"schema": "focal.refused/1", "items": [lost], "more": False})
            self.assertEqual(fake.run("refused", "--seen").returncode, 0)
            self.assertEqual(fake.heard[-1], ("refused", {"seen": True}))

    def test_who_may(self):
        message = '"case list" is for members of focal-read or focal-entry, and you (user 1001) are not one'
        with Fake({"case.list": [("error", CODES["denied"], 6, message)]}) as fake:
            done = fake.run("case", "list")
            self.assertEqual((done.returncode, done.out), (6, ""))
            self.assertIn("focalctl: " + message, done.err)
            self.assertEqual(json.loads(fake.run("case", "list", "--json").err)["error"]["exit"], 6)

    def test_two_persons(self):
        waits = [("end", {"status": "partial", "request": 7, "message": '"export" needs two persons here: it waits as request 7', "hint": "another runs `focalctl approve 7`"})]
        root = {"id": 7, "uid": 0, "command": "case redact", "about": REF, "at_ms": 0, "until": "2026-11-24 10:00 UTC", "approved_by": None, "mine": False}
        row = {"number": 4, "at_ms": 1, "code": "command", "what": "user 0, focal-entry: case redact " + REF, "uid": 0}
        far = dict(row, what="user 3999999999: export; not permitted", uid=3999999999)
        with Fake({"export": waits, "case.redact": waits, "request.list": [("item", root), ("item", dict(root, id=8, about=None, approved_by=3999999999)), LAST],
                   "approve": lambda w: [("item", {"request": w["number"], "approved": True}), END], "request.refuse": [("item", {"request": 7, "refused": True}), END],
                   "history": [("item", row), ("item", far), LAST]}) as fake:
            for words in (["export"], ["export", "-o", "/nonexistent/x"], ["export", "--json"], ["case", "redact", REF, "--reason", "other", "--yes"]):
                done = fake.run(*words)
                if words[-1] != "/nonexistent/x":
                    self.assertEqual((done.returncode, done.out), (3, ""), words)
                    self.assertIn("it waits as request 7", done.err)
                    self.assertIn("focalctl approve 7", done.err)
            lines = fake.run("request", "list").out.splitlines()
            self.assertEqual(lines[0].split(), ["NUMBER", "ASKED", "BY", "COMMAND", "ABOUT", "UNTIL", "APPROVED", "BY"])
            self.assertEqual(lines[1].split(), ["7", "user", "0", "(root)", "case", "redact", REF, "2026-11-24", "10:00", "UTC", "-"])
            self.assertEqual(lines[2].split()[-2:], ["user", "3999999999"])
            self.assertIn("request 9 is agreed to", fake.run("approve", "9").out)
            self.assertEqual(fake.heard[-1], ("approve", {"number": 9}))
            self.assertEqual(fake.run("request", "refuse", "7").out, "request 7 waits no more\n")
            text = fake.run("history", "--readings").out
            self.assertEqual(fake.heard[-1], ("history", {"readings": True}))
            self.assertIn("  user 0 (root), focal-entry: case redact " + REF + "\n", text)
            self.assertIn("  user 3999999999: export; not permitted\n", text)

    def test_partial_and_faults(self):
        offices = {"offices": [{"code": "HQ", "synced": True}, {"code": "SSD", "synced": False}]}
        with Fake({"sync.now": [("item", offices), ("end", {"status": "partial"})],
                   "verify": [("item", {"entries": 5, "errors": ["log X: bad signature"], "digests": {"control": "ab"}}), ("end", {"status": "damaged"})]}) as fake:
            self.assertEqual(fake.run("sync", "now", "--wait").returncode, 3)
            done = fake.run("verify", "--json")
            self.assertEqual((done.returncode, json.loads(done.out)["errors"]), (1, ["log X: bad signature"]))
            self.assertIn("1 error", fake.run("verify").out)

    def test_matrix(self):
        rows = [{"of": c, "seen": {"HQ": {"have": 7, "asof_s": 0}, "KEN": {"have": None, "asof_s": None}}} for c in ("HQ", "KEN")]
        with Fake({"matrix": [("item", {"rows": rows}), END]}) as fake:
            text = fake.run("matrix").out.splitlines()
            self.assertEqual(text[0].split(), ["CHANGES", "OF", "HQ", "KEN"])
            self.assertEqual(text[1].split(), ["HQ", "7", "?"])

    def test_invite(self):
        with Fake({"office.invite": [("item", {"token": "focal1-abc", "expires": "2026-12-01"}), END]}) as fake:
            done = fake.run("office", "invite", "KEN", "--country", "KEN", "--expires", "2w", "--address", "h:1", "--address", "h:2")
            self.assertEqual(done.out, "focal1-abc\n")
            self.assertIn("office admit KEN", done.err)
            self.assertEqual(fake.heard[-1][1], {"office": "KEN", "country": "KEN", "days": 14, "addresses": ["h:1", "h:2"]})
            fake.run("office", "invite", "REGION", "--may-redact")
            self.assertEqual(fake.heard[-1][1], {"office": "REGION", "may_redact": True})
            self.assertEqual(json.loads(fake.run("office", "invite", "KEN", "--json").out),
                             {"schema": "focal.office.invite/1", "token": "focal1-abc", "expires": "2026-12-01"})

    def test_report_and_export_go_to_files(self):
        with Fake({"report": lambda w: [("item", {"text": "<html>"}), ("item", {"text": "</html>"}), END] if w.get("format") == "html"
                   else [("item", {"schema": "x", "period": "2018-Q2", "allegations": 70}), END],
                   "export": [("item", {"text": "{\"id\":1}\n{\"id\":2}\n"}), END]}) as fake:
            out = fake.dir.name + "/r.html"
            self.assertEqual(fake.run("report", "--format", "html", "-o", out).returncode, 0)
            with open(out) as f:
                self.assertEqual(f.read(), "<html></html>")
            self.assertEqual(os.stat(out).st_mode & 0o777, 0o600)
            done = fake.run("report", "--period", "2018-Q2", "--json")
            self.assertTrue(done.out.startswith('{"schema":"focal.report/1",'))
            self.assertEqual(json.loads(done.out)["allegations"], 70)
            self.assertEqual(fake.run("report", "--format", "json", "-o", fake.dir.name + "/r.json").returncode, 0)
            with open(fake.dir.name + "/r.json") as f:
                self.assertEqual(json.load(f)["period"], "2018-Q2")
            self.assertEqual(json.loads(fake.run("export", "--json").out)["items"], [{"id": 1}, {"id": 2}])
        with Fake({"export": [("item", {"text": "half"}), ("error", 22, 1, "stopped")]}) as fake:
            out = fake.dir.name + "/e.csv"
            with open(out, "w") as f:
                f.write("old")
            self.assertEqual(fake.run("export", "-o", out).returncode, 1)
            with open(out) as f:
                self.assertEqual(f.read(), "old")       # replaced whole or not at all
            self.assertEqual(sorted(os.listdir(fake.dir.name)), ["control.sock", "e.csv"])

    def test_admit_needs_words(self):
        keys = {"office": "KEN", "country": "KEN", "invitation": 1, "network": "11" * 32, "authority": "22" * 32, "sign": "33" * 32,
                "channel": "44" * 32, "open": "55" * 32, "number": 1, "dir": "/nonexistent", "admitted": False}
        with Fake({"office.admit.begin": [("item", keys), END]}) as fake:
            self.assertEqual(fake.run("office", "admit", "KEN", "--no-input").returncode, 2)
            done = fake.run("office", "admit", "KEN", "--no-input", "--words-file", "-", stdin=b"one two three four five six seven eight\n")
            self.assertEqual(done.returncode, 1)
            self.assertIn("word 1 ", done.err)
            self.assertEqual([verb for verb, _ in fake.heard], ["office.admit.begin"] * 2)
        with Fake({"office.admit.begin": [("item", dict(keys, admitted=True)), END]}) as fake:
            done = fake.run("office", "admit", "KEN", "--no-input", "--json")
            self.assertEqual(json.loads(done.out), {"schema": "focal.office.admit/1", "office": "KEN", "admitted": True})
        for broken in ({"sign": "33"}, {"network": "zz" * 32}, {"number": 0}, {"office": "k"}, {"country": "QQQ"}, {"country": "KENYA"}):
            with Fake({"office.admit.begin": [("item", dict(keys, **broken)), END]}) as fake:
                self.assertEqual(fake.run("office", "admit", "KEN", "--no-input", "--words-file", "/dev/null").returncode, 1, broken)


class Import(unittest.TestCase):
    """The daemon is played by counting lines; a line that holds "bad" is refused."""

    def fake(self, **more):
        state = {"check": None, "line": 0, "all": 0, "taken": []}

        def begin(w):
            state.update(check=w.get("check", False), line=0, all=0)
            return [END]

        def rows(w):
            out, new = [], 0
            for line in w["text"].splitlines():
                state["line"] += 1
                if state["line"] == 1:
                    continue
                if "bad" in line:
                    item = {"line": state["line"], "field": "status", "reason": "no such code", "hint": "use another", "count": 1}
                    if "rowless" not in line:
                        item["row"] = line + ",no such code"
                    out.append(("item", item))
                else:
                    new += 1
                    if not state["check"]:
                        state["taken"].append(line)
            state["all"] += new
            return out + [("end", {"status": "ok", "new": new, "updated": 0, "refused": len(out)})]

        def end(_):
            return [("end", {"status": "ok", "new": state["all"], "updated": 0, "refused": 0, "header": "status,refused", "broken": False})]

        answers = {"import.begin": begin, "import.rows": rows, "import.end": end}
        answers.update(more)
        fake = Fake(answers)
        fake.state = state
        return fake

    def test_all_or_nothing(self):
        with self.fake() as fake:
            path = fake.dir.name + "/c.csv"
            with open(path, "w") as f:
                f.write("status\n" + "received\n" * 40000)
            done = fake.run("import", path, "--json")
            self.assertEqual(json.loads(done.out), {"schema": "focal.import/1", "new": 40000, "updated": 0, "refused": [], "refused_total": 0, "dry_run": False})
            self.assertEqual(done.returncode, 0)
            self.assertEqual(len(fake.state["taken"]), 40000)
            self.assertEqual([w["check"] for verb, w in fake.heard if verb == "import.begin"], [True, False])
            fake.state["taken"].clear()
            with open(path, "a") as f:
                f.write("bad\n")
            done = fake.run("import", path)
            self.assertEqual((done.returncode, fake.state["taken"]), (1, []))
            self.assertIn("line 40002: status: no such code; use another", done.err)
            self.assertIn("nothing was imported", done.out)
            whole = json.loads(fake.run("import", path, "--json").out)
            self.assertEqual((whole["new"], whole["refused"][0]["line"]), (0, 40002))
            done = fake.run("import", "-", "--format", "csv", stdin=b"status\r\nreceived\r\n")
            self.assertEqual((done.returncode, done.out, fake.state["taken"]), (0, "1 new, 0 updated, 0 refused\n", ["received"]), done.err)

    def test_dry_run_and_rejects(self):
        with self.fake() as fake:
            path, bad = fake.dir.name + "/c.csv", fake.dir.name + "/bad.csv"
            with open(path, "w") as f:
                f.write("status\nreceived\nbad\nbad,rowless\nreceived\n")
            self.assertEqual(fake.run("import", path, "--dry-run").returncode, 1)
            self.assertEqual(fake.state["taken"], [])
            done = fake.run("import", path, "--rejects", bad)
            self.assertEqual((done.returncode, len(fake.state["taken"])), (3, 2), done.err)
            self.assertEqual(done.out, "2 new, 0 updated, 2 refused\n")
            with open(bad) as f:
                lines = f.read().splitlines()
            self.assertEqual(lines[:2], ["status,refused", "bad,no such code"])
            self.assertTrue(lines[2].startswith("bad,rowless,"))
            self.assertIn("no such code", lines[2])
            os.remove(bad)
            done = fake.run("import", path, "--rejects", path)      # would replace the rows by the refused ones
            self.assertEqual(done.returncode, 2)
            with open(path) as f:
                self.assertTrue(f.read().startswith("status\nreceived\n"))
            with open(path, "w") as f:
                f.write("status\nreceived\n")
            self.assertEqual(fake.run("import", path, "--rejects", bad).returncode, 0)
            self.assertFalse(os.path.exists(bad))

    def test_what_is_not_text(self):
        for content in (b"status\nreceived\nn\xe9\n", b"status\nreceived\nx\x00y\n"):
            with self.fake() as fake:
                done = fake.run("import", "-", "--format", "csv", stdin=content)
                self.assertEqual((done.returncode, fake.state["taken"]), (1, []))
                self.assertIn("line 3", done.err)
        with self.fake() as fake:                       # a character that two pieces would cut
            content = "status\n" + "é" * 100000 + "\n"
            self.assertEqual(fake.run("import", "-", "--format", "csv", stdin=content.encode()).returncode, 0)
            done = fake.run("import", fake.dir.name + "/", "--format", "csv")
            self.assertEqual(done.returncode, 2)

    def phases(self):
        """Answers for import.begin that note which pass is on, and the note."""
        phase = {}

        def begin(w):
            phase["checking"] = w["check"]
            return [END]
        return begin, phase

    def test_interrupted(self):
        begin, phase = self.phases()
        written = []

        def slow(w):
            if not phase["checking"]:
                written.append(w)
                time.sleep(0.05)
            return [("end", {"status": "ok", "new": 100, "updated": 1, "refused": 0})]
        with self.fake(**{"import.begin": begin, "import.rows": slow}) as fake:
            path = fake.dir.name + "/c.jsonl"
            with open(path, "w") as f:
                f.write('{"status":"received"}\n' * 300000)
            child = subprocess.Popen([CTL, "--socket", fake.path, "import", path, "--rejects", path + ".bad"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            while len(written) < 10:
                time.sleep(0.01)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
            pieces = len(written)
            self.assertEqual(child.returncode, 1)
            self.assertIn(b"%d records were acknowledged (%d new, %d updated)" % (101 * pieces, 100 * pieces, pieces), err)
            self.assertEqual([verb for verb, _ in fake.heard].count("import.end"), 1)       # of the checking pass alone

    def test_daemon_dies_on_the_way(self):
        begin, phase = self.phases()
        count = [0]

        def rows(_):
            count[0] += not phase["checking"]
            return [("close",)] if count[0] == 3 else [("end", {"status": "ok", "new": 10, "updated": 0, "refused": 0})]
        with self.fake(**{"import.begin": begin, "import.rows": rows}) as fake:
            path = fake.dir.name + "/c.csv"
            with open(path, "w") as f:
                f.write("status\n" + "received\n" * 60000)
            done = fake.run("import", path, "--rejects", path + ".bad")
            self.assertEqual(done.returncode, 5)
            self.assertIn("20 records were acknowledged", done.err)


if __name__ == "__main__":
    if not os.path.exists(CTL):
        sys.exit("FOCAL_BIN_DIR does not name a directory with focalctl")
    unittest.main(verbosity=1)
