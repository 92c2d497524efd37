"""A network of real daemons that reach each other through a proxy, and a client of the control socket that outlives them."""

import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import support_canary
import test_hand as hand
from support_proxy import Proxy
from test_hand import run, until


class Refused(Exception):
    """The daemon said no; the request is known not to have been done."""


class Control:
    """One connection to a daemon's control socket, made anew when the daemon was."""

    def __init__(self, node):
        self.node, self.socket, self.number = node, None, 0

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def line(self):
        while b"\n" not in self.unread:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the daemon closed the connection")
            self.unread += more
        text, self.unread = self.unread.split(b"\n", 1)
        support_canary.answered(text)
        return json.loads(text)

    def connect(self):
        self.socket, self.unread = socket.socket(socket.AF_UNIX), b""
        self.socket.settimeout(30)
        self.socket.connect(self.node.socket)
        self.socket.sendall(b'{"focal":"control","version":1}\n')
        assert self.line()["focal"] == "control"

    def ask(self, do, **what):
        """Items and end of the answer; OSError: the daemon went away, and whether it was done is not known."""
        try:
            if not self.socket:
                self.connect()
            support_canary.values_in(what)
            self.number += 1
            self.socket.sendall(json.dumps({"id": self.number, "do": do, "with": what}).encode() + b"\n")
            items = []
            while True:
                said = self.line()
                if "item" in said:
                    items.append(said["item"])
                elif "end" in said:
                    return items, said["end"]
                elif "error" in said:
                    raise Refused(said["error"]["message"])
        except OSError:
            self.close()
            raise


class Net:
    """HQ and offices, each behind a link of the proxy."""

    def __init__(self, home, seed, offices=("KEN", "SSD"), start=None):
        self.home, self.proxy, self.nodes, self.links = home, Proxy(seed), [], {}
        self.start = start or (lambda node: node.start())
        self.secret = home.file("passphrase", "correct horse battery staple\n")
        hq = self.place("HQ", "--role", "hq", "--network", "On a bad network", "--office", "HQ", "--passphrase-file", self.secret)
        for code in offices:
            token = hq.ctl("office", "invite", code, "--country", code)["token"]
            self.place(code, "--join-file", home.file(code + ".invitation", token + "\n"))
            self.admit(code)
        self.hq = hq

    def place(self, code, *options):
        node, port = self.home.node(code), hand.free_port()
        self.links[code] = self.proxy.link(port)
        node.words = node.setup(*options, "--listen", f"127.0.0.1:{port}", "--advertise", f"127.0.0.1:{self.links[code].at}").get("words")
        conf = os.path.join(node.dir, "focald.conf")
        text = open(conf).read().replace("[link]\n", "[link]\nredial_most = 2\n")
        assert "redial_most = 2" in text, text
        open(conf, "w").write(text)
        self.nodes.append(node)
        self.start(node)
        return node

    def admit(self, code):
        hq, node = self.nodes[0], self.nodes[-1]
        until(f"{code} to knock", lambda: any(r["id"] == code and r.get("state") == "waiting" for r in hq.ctl("office", "list")["items"]))
        words = self.home.file(code + ".words", " ".join(node.words) + "\n")
        run(hq.focalctl, "--socket", hq.socket, "office", "admit", code, "--words-file", words, "--passphrase-file", self.secret, "--no-input")
        until(f"{code} to hold its membership", lambda: node.ctl("status")["admitted"])

    def linked(self, node, other, patience=hand.PATIENCE):
        until(f"the link of {node.code} with {other}", lambda: link(node, other) == "up", patience)

    def end(self):
        """Every daemon ends when told to, with 0, and none complained of its own memory."""
        for node in reversed(self.nodes):
            assert node.process.poll() is None, f"{node.code} ended by itself: {node.process.returncode}"
            assert node.end() == 0, f"{node.code} did not end cleanly"
            log = open(node.log, errors="replace").read()
            assert "Sanitizer" not in log and "runtime error" not in log and "assert" not in log, log[-3000:]
        self.proxy.close()


def link(node, other):
    return next((o["link"] for o in node.ctl("status")["offices"] if o["code"] == other), None)
