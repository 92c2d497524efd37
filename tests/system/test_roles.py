#!/usr/bin/env python3
"""Who may what, with real users: an administrator, one who records, one who reads, and a stranger, each with a uid and groups
of its own, against daemons that run as a service does, by --config. And files that others could have changed.

Only root can become other users: without root that part is left out, and the run says so."""
import grp
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import support_canary
from support_cli import CTL, DAEMON, OWN, run

ROOT = os.geteuid() == 0
SECRET = "sexual_abuse"


def free_names(count):
    """Groups and users that exist are taken as they are: no account is made. Of the groups of this machine, those of
    which nobody is a member, and numbers of users that nobody has."""
    groups = [g for g in grp.getgrall() if not g.gr_mem and g.gr_gid > 0][-count:]
    taken, users, uid = {p.pw_uid for p in pwd.getpwall()}, [], 61000
    while len(users) < 6:
        if uid not in taken:
            users.append(uid)
        uid += 1
    return groups, users


class Person:
    ctl = CTL                           # a copy that every user reaches

    def __init__(self, uid, groups, reads=True):
        self.uid, self.groups, self.reads = uid, groups, reads

    def become(self):
        os.setgroups(self.groups)
        os.setgid(self.uid)
        os.setuid(self.uid)

    def run(self, socket, *args, stdin=b""):
        done = subprocess.run([self.ctl, "--socket", socket, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              env={"TERM": "dumb", "PATH": os.environ["PATH"]}, cwd="/", preexec_fn=self.become)
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        if not self.reads:
            support_canary.reply(f"user {self.uid}, who may not read", done.stdout + done.stderr, args)
        return done


def setup(directory, *args):
    done = subprocess.run([DAEMON, "setup", *args, "--dir", directory, "--listen", "127.0.0.1:0", "--no-input", "--json"], stdout=subprocess.PIPE,
                          timeout=60, check=True)
    return json.loads(done.stdout)


class Office:
    """A daemon as a service: by --config, its socket where everybody can reach it, its directory where nobody can."""

    def __init__(self, at, name, log, extra=""):
        self.dir, self.socket, self.log, self.child = at + "/" + name, at + "/" + name + ".sock", log, None
        with open(self.dir + "/focald.conf", "a") as f:
            f.write("[control]\nsocket = %s\n%s" % (self.socket, extra))

    def start(self):
        with open(self.log, "a") as log:
            self.child = subprocess.Popen([DAEMON, "run", "--config", self.dir + "/focald.conf"], stdout=log, stderr=log)
        end = time.monotonic() + 20
        while run("--socket", self.socket, "status").returncode == 5:
            if time.monotonic() > end:
                raise AssertionError(self.dir + " does not answer")
            time.sleep(0.05)

    def stop(self):
        if self.child:
            self.child.terminate()
            self.child.wait(timeout=20)
        self.child = None


@unittest.skipUnless(ROOT, "left out: only root can become other users")
class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hold = tempfile.TemporaryDirectory()
        cls.at = cls.hold.name
        os.chmod(cls.at, 0o755)
        Person.ctl = shutil.copy(CTL, cls.at + "/focalctl")
        groups, users = free_names(3)
        if len(groups) < 3:
            raise unittest.SkipTest("left out: this machine has no three groups without members")
        admin, entry, read = (g.gr_gid for g in groups)
        cls.names = [g.gr_name for g in groups]
        many = list(range(70000, 70100))
        cls.smith = Person(users[0], [admin], reads=False)
        cls.amina = Person(users[1], [entry])
        cls.beatrice = Person(users[2], many + [entry])         # the hundred and first of her groups
        cls.clerk = Person(users[3], [read])
        cls.stranger = Person(users[4], many, reads=False)
        with open(os.open(cls.at + "/pass", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write("correct horse\n")
        setup(cls.at + "/HQ", "--role", "hq", "--network", "Test", "--office", "HQ", "--country", "KEN", "--passphrase-file", cls.at + "/pass")
        cls.conf = "admin_group = %s\nentry_group = %s\nread_group = %s\n" % tuple(cls.names)
        cls.hq = Office(cls.at, "HQ", cls.at + "/log", cls.conf + "two_persons = redact, export\n")
        cls.hq.start()
        cls.ken = None

    @classmethod
    def tearDownClass(cls):
        for office in (cls.hq, cls.ken):
            if office:
                office.stop()
        cls.hold.cleanup()

    def ask(self, who, *args, code=0, stdin=b"", office=None):
        done = who.run((office or self.hq).socket, *args, stdin=stdin)
        self.assertEqual(done.returncode, code, (args, done.out, done.err))
        return done

    def new_case(self):
        made = self.ask(self.amina, "case", "new", "--set", "country=KEN", "--set", "allegation_type=" + SECRET, "--json")
        return json.loads(made.out)["id"]

    def refused(self, who, *args, group):
        done = self.ask(who, *args, code=6)
        self.assertEqual(done.out, "", args)
        self.assertIn("is for members of", done.err)
        self.assertIn("user %d" % who.uid, done.err)
        self.assertIn("usermod -aG " + group, done.err)
        return done

    def test_each_does_its_own(self):
        admin, entry, read = self.names
        self.assertEqual(stat.S_IMODE(os.stat(self.hq.socket).st_mode), 0o666)
        ref = self.new_case()
        for who in (self.amina, self.beatrice, self.clerk):
            self.assertIn(SECRET, self.ask(who, "case", "show", ref).out)
            self.assertIn(ref, self.ask(who, "case", "list").out)
        self.ask(self.smith, "office", "invite", "SSD")
        self.ask(self.smith, "verify")
        for who in (self.amina, self.beatrice, self.clerk):
            for words in (("office", "invite", "UGA"), ("verify",), ("office", "pause", "SSD"), ("veil", "lift", "--reason", "x")):
                self.refused(who, *words, group=admin)
        for words in (("case", "update", ref, "--set", "status=received"), ("case", "withdraw", ref, "--reason", "duplicate"), ("refused", "--seen"),
                      ("case", "redact", ref, "--reason", "other", "--yes")):
            self.refused(self.clerk, *words, group=entry)
        for words in (("case", "show", ref), ("case", "list"), ("export",), ("report", "--period", "2018-Q2"), ("history", "--proof", "1")):
            said = self.refused(self.smith, *words, group=read)
            self.assertNotIn(SECRET, said.err)
        for words in (("status",), ("case", "list"), ("history",)):
            said = self.ask(self.stranger, *words, code=6)
            self.assertIn(" ".join(words[:2]), said.err)
        # Root runs the machinery and is in none of the groups.
        rooted = run("--socket", self.hq.socket, "case", "list")
        self.assertEqual(rooted.returncode, 6, rooted.err)
        self.assertEqual(run("--socket", self.hq.socket, "office", "list").returncode, 0)

    def test_a_locked_store_is_for_administrators(self):
        """Locked, there is nothing to look rights up in but the groups: who administers, root and who runs the daemon."""
        right, wrong = b"a passphrase of the store\n", b"a passphrase of the shop\n"
        with open(os.open(self.at + "/store.pass", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(right)
        setup(self.at + "/locked", "--role", "hq", "--network", "Test", "--office", "HQ", "--country", "KEN", "--passphrase-file", self.at + "/pass",
              "--store-key", "passphrase", "--store-passphrase-file", self.at + "/store.pass")
        office = Office(self.at, "locked", self.at + "/locked.log", self.conf)
        try:
            office.start()
            opens = ("unlock", "--passphrase-file", "-")
            for who in (self.amina, self.beatrice, self.clerk, self.stranger):
                for words in (opens, ("status",), ("lock",), ("destroy", "--confirm", "DESTROY"), ("case", "list")):
                    done = self.ask(who, *words, code=6, stdin=right, office=office)
                    self.assertEqual(done.out, "")
                    self.assertIn("the store is locked, and you (user %d) may not open it" % who.uid, done.err)
                    self.assertIn("ask a member of " + self.names[0], done.err)
            self.assertIn("locked: nothing is sent", self.ask(self.smith, "status", office=office).out)
            self.ask(self.smith, *opens, code=6, stdin=wrong, office=office)
            # Strangers who hold on to their connections leave room for who may.
            held = []
            for _ in range(30):
                held.append(socket.socket(socket.AF_UNIX))
                child = os.fork()
                if child == 0:
                    self.stranger.become()
                    try:
                        held[-1].connect(office.socket)
                    finally:
                        os._exit(0)
                os.waitpid(child, 0)
            self.ask(self.smith, *opens, stdin=right, office=office)
            for one in held:
                one.close()
            self.ask(self.amina, "case", "list", office=office)
            for who in (self.amina, self.clerk):
                for words in (("lock",), ("destroy", "--confirm", "DESTROY"), ("store-key", "show"), ("store-key", "rotate"), ("store-key", "change", "--to", "plain")):
                    done = self.ask(who, *words, code=6, office=office)
                    self.assertIn("is for members of " + self.names[0], done.err)
            self.ask(self.smith, "store-key", "rotate", "--passphrase-file", "-", stdin=right, office=office)
            self.ask(self.smith, "lock", office=office)
            self.assertEqual(run("--socket", office.socket, "unlock", "--passphrase-file", self.at + "/store.pass").returncode, 0)
            rows = json.loads(self.ask(self.smith, "history", "--readings", "--limit", "1000", "--json", office=office).out)["items"]
            seen = [(row.get("uid"), row.get("command"), row.get("outcome")) for row in rows]
            for one in ((self.smith.uid, "unlock", "ok"), (self.amina.uid, "case list", "ok"), (self.amina.uid, "lock", "denied"), (self.smith.uid, "store-key rotate", "ok"),
                        (self.smith.uid, "lock", "ok"), (0, "unlock", "ok")):
                self.assertIn(one, seen)
            with open(office.log) as log:
                self.assertIn("what user %d gave does not open the store" % self.smith.uid, log.read())
        finally:
            office.stop()

    def test_an_administrator_is_told_of_no_record(self):
        ref = self.new_case()
        self.ask(self.amina, "case", "update", ref, "--set", "status=received")
        told = ""
        for words in (["status"], ["status", "--json"], ["matrix"], ["history", "--readings", "--limit", "1000"], ["history", "--readings", "--json"], ["verify", "--deep"],
                      ["office", "list", "--json"], ["office", "show", "HQ"], ["request", "list"]):
            told += self.ask(self.smith, *words).out
        self.assertNotIn(ref, told)
        self.assertNotIn(SECRET, told)
        self.assertIn("case new a record", told)
        with open(self.hq.log) as log:
            said = log.read()
        self.assertNotIn(ref, said)
        self.assertNotIn(SECRET, said)

    def test_the_history_has_who_did_what(self):
        ref = self.new_case()
        self.ask(self.clerk, "case", "show", ref)
        self.ask(self.clerk, "case", "update", ref, "--set", "status=received", code=6)
        rows = json.loads(self.ask(self.clerk, "history", "--readings", "--limit", "1000", "--json").out)["items"]
        mine = [(row["code"], row["uid"], row["role"], row["command"], row.get("id"), row["outcome"]) for row in rows if row.get("uid") in (self.amina.uid, self.clerk.uid)]
        self.assertIn(("command", self.amina.uid, "entry", "case new", ref, "ok"), mine)
        self.assertIn(("reading", self.clerk.uid, "read", "case show", ref, "ok"), mine)
        self.assertIn(("denied", self.clerk.uid, None, "case update", None, "denied"), mine)
        self.assertNotIn(SECRET, json.dumps(rows))
        text = self.ask(self.clerk, "history").out
        self.assertIn("user %d, %s: case new %s" % (self.amina.uid, self.names[1], ref), text)
        self.assertNotIn("user %d, %s: case show" % (self.clerk.uid, self.names[2]), text)

    def test_two_persons(self):
        ref = self.new_case()
        said = self.ask(self.amina, "case", "redact", ref, "--reason", "survivor_request", "--yes", code=3)
        number = said.err.split("focalctl approve ")[1].split("`")[0]
        self.assertIn("needs two persons", said.err)
        self.assertIn("is your own", self.ask(self.amina, "approve", number, code=6).err)
        self.ask(self.clerk, "approve", number, code=6)
        self.ask(self.smith, "approve", number, code=6)
        self.hq.stop()
        self.hq.start()
        self.assertIn("case redact", self.ask(self.beatrice, "request", "list").out)
        self.assertIn("focalctl approve " + number, self.ask(self.beatrice, "status").out)
        self.assertIn("is redacted", self.ask(self.beatrice, "approve", number).out)
        self.assertIn("was redacted", self.ask(self.amina, "case", "show", ref, code=4).err)
        text = self.ask(self.amina, "history").out
        self.assertIn("user %d, %s: case redact %s; request %s, with user %d" % (self.beatrice.uid, self.names[1], ref, number, self.amina.uid), text)

        kept = self.new_case()
        export = ["export", "--format", "jsonl"]
        said = self.ask(self.clerk, *export, code=3)
        self.assertEqual(said.out, "")
        number = said.err.split("focalctl approve ")[1].split("`")[0]
        self.ask(self.beatrice, "approve", number)
        self.assertIn(kept, self.ask(self.clerk, *export).out)
        said = self.ask(self.clerk, *export, code=3)            # once
        number = said.err.split("focalctl approve ")[1].split("`")[0]
        self.ask(self.beatrice, "request", "refuse", number)
        self.ask(self.beatrice, "approve", number, code=4)

    def test_two_versions_name_no_record_to_who_administers(self):
        token = self.ask(self.smith, "office", "invite", "KEN", "--country", "KEN").out
        with open(self.at + "/token", "w") as f:
            f.write(token)
        words = setup(self.at + "/KEN", "--join-file", self.at + "/token")["words"]
        with open(self.at + "/words", "w") as f:
            f.write(" ".join(words))
        type(self).ken = Office(self.at, "KEN", self.at + "/log.ken", self.conf)
        self.ken.start()
        # Root, who has the authority key, admits.
        done = run("--socket", self.hq.socket, "office", "admit", "KEN", "--words-file", self.at + "/words", "--passphrase-file", self.at + "/pass", "--no-input")
        self.assertEqual(done.returncode, 0, done.err)
        self.ask(self.amina, "status", "--wait", "synced=HQ", "--timeout", "30s", office=self.ken)
        ref = self.new_case()
        self.ask(self.amina, "sync", "now", "KEN", "--wait", "--timeout", "30s")
        self.ask(self.smith, "office", "pause", "KEN")
        self.ask(self.amina, "case", "update", ref, "--set", "channel=hotline")
        self.ask(self.amina, "case", "update", ref, "--set", "channel=digital", office=self.ken)
        self.ask(self.smith, "office", "resume", "KEN")
        self.ask(self.amina, "sync", "now", "--wait", "--timeout", "30s")
        for office in (self.hq, self.ken):
            self.assertIn(ref, self.ask(self.clerk, "status", office=office).out)
            self.assertNotIn(ref, self.ask(self.smith, "status", "--json", office=office).out)


class Alone(unittest.TestCase):
    """What holds for one user: by hand all is permitted; and files that others could have changed are refused."""

    @classmethod
    def setUpClass(cls):
        cls.hold = tempfile.TemporaryDirectory()
        cls.at = cls.hold.name
        with open(os.open(cls.at + "/pass", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write("correct horse\n")
        cls.first = cls.at + "/first"
        setup(cls.first, "--role", "hq", "--network", "Test", "--office", "HQ", "--passphrase-file", cls.at + "/pass")

    @classmethod
    def tearDownClass(cls):
        cls.hold.cleanup()

    def setUp(self):
        self.dir = self.at + "/" + self.id().split(".")[-1]
        shutil.copytree(self.first, self.dir)
        self.child = None

    def tearDown(self):
        if self.child:
            self.child.terminate()
            self.child.wait(timeout=20)

    def start(self):
        self.child = subprocess.Popen([DAEMON, "run", "--dir", self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while run("--dir", self.dir, "status").returncode != 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def fails(self, code, says, hint, *verb):
        for words in verb or (("run", "--dir", self.dir),):
            done = subprocess.run([DAEMON, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
            self.assertEqual(done.returncode, code, done.stderr)
            for part in (says, hint):
                self.assertIn(part, done.stderr.decode())
            self.assertNotIn(b"ready", done.stdout)

    def test_by_hand_the_user_may_all(self):
        self.start()
        made = json.loads(run("--dir", self.dir, "case", "new", "--set", "country=KEN", "--json").stdout)
        for words in (("case", "show", made["id"]), ("verify",), ("office", "invite", "KEN", "--address", "127.0.0.1:1"), ("export",)):
            done = run("--dir", self.dir, *words)
            self.assertEqual(done.returncode, 0, done.err)
        rows = json.loads(run("--dir", self.dir, "history", "--json").out)["items"]
        self.assertIn((os.geteuid(), "export", "ok"), [(row.get("uid"), row.get("command"), row.get("outcome")) for row in rows])
        shown = run("--dir", self.dir, "history").out
        name = [p.pw_name for p in pwd.getpwall() if p.pw_uid == os.geteuid()][:1]
        self.assertIn("user %d%s, focal-" % (os.geteuid(), " (%s)" % name[0] if name else ""), shown)

    def test_what_is_noted_outlives_kill(self):
        self.start()
        self.assertEqual(run("--dir", self.dir, "export").returncode, 0)
        self.child.kill()
        self.child.wait()
        self.start()
        self.assertIn(": export case", run("--dir", self.dir, "history").out)

    def test_configuration_that_others_may_write(self):
        conf = self.dir + "/focald.conf"
        both = (("run", "--dir", self.dir), ("check-config", "--dir", self.dir))
        for mode in (0o660, 0o620, 0o602, 0o666, 0o777):
            os.chmod(conf, mode)
            self.fails(78, "lets others write to it: %04o" % mode, "chmod 644 " + conf, *both)
        os.chmod(conf, 0o640)
        self.assertEqual(subprocess.run([DAEMON, "check-config", "--dir", self.dir], stdout=subprocess.DEVNULL).returncode, 0)
        os.rename(conf, self.dir + "/real.conf")
        os.symlink(self.dir + "/real.conf", conf)
        self.fails(78, "is a symbolic link", "Put the thing itself there", *both)
        os.unlink(conf)
        os.mkfifo(conf)
        self.fails(78, "is not a regular file", "Put an ordinary file there", *both)
        os.unlink(conf)
        os.rename(self.dir + "/real.conf", conf)
        os.mkdir(conf + ".d")
        os.chmod(conf + ".d", 0o777)
        self.fails(78, conf + ".d is trusted", "chmod 755 " + conf + ".d", *both)
        os.chmod(conf + ".d", 0o755)
        with open(conf + ".d/more.conf", "w") as f:
            f.write("[log]\nlevel = debug\n")
        os.chmod(conf + ".d/more.conf", 0o666)
        self.fails(78, "more.conf is trusted", "chmod 644 " + conf + ".d/more.conf", *both)
        os.chmod(conf + ".d/more.conf", 0o644)
        if ROOT:
            os.chown(conf, 61999, 0)
            self.fails(78, "belongs to another user (61999)", "chown 0 " + conf, *both)

    def test_keys_that_others_may_read(self):
        key = self.dir + "/keys/node.key"
        for mode in (0o640, 0o604, 0o644, 0o660, 0o610):
            os.chmod(key, mode)
            self.fails(77, "lets others at it: %04o" % mode, "chmod 600 " + key)
        os.chmod(key, 0o600)
        os.rename(key, self.dir + "/real.key")
        os.symlink(self.dir + "/real.key", key)
        self.fails(77, "is a symbolic link", "Put the thing itself there")
        os.unlink(key)
        os.mkfifo(key)
        self.fails(77, "is not a regular file", "Put an ordinary file there")
        os.unlink(key)
        os.rename(self.dir + "/real.key", key)
        if ROOT:
            os.chown(key, 61999, 0)
            self.fails(77, "belongs to another user (61999)", "chown 0 " + key)
            os.chown(key, 0, 0)
        self.start()

    def test_what_stands_beside_the_keys(self):
        """A keepsake that others may have changed is not salvaged from; a daemon that has its database makes it anew."""
        self.start()
        self.child.terminate()
        self.child.wait(timeout=20)
        kept = self.dir + "/keys/network.focal"
        os.chmod(kept, 0o644)
        self.fails(77, "lets others at it: 0644", "chmod 600 " + kept, ("setup", "--rejoin", "--dir", self.dir, "--no-input"))
        self.start()
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o600)

    def test_one_group_for_two(self):
        with open(self.dir + "/focald.conf", "a") as f:
            f.write("[control]\nadmin_group = staff\nread_group = staff\n")
        self.fails(78, "would read records", "member of two groups")


if __name__ == "__main__":
    if not os.path.exists(CTL):
        sys.exit("FOCAL_BIN_DIR does not name a directory with focalctl")
    if not ROOT:
        print("test_roles: not root, so the part with several users is left out", file=sys.stderr)
    assert OWN
    unittest.main(verbosity=1)
