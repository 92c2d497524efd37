#!/usr/bin/env python3
"""A database is damaged in every way that can be made by hand, at an office among three: the daemon names it or runs right,
and after one command and contact with the others all is as it was, with what only that office had where it can be read.
Who finds which damage stands in WAYS: the start, the fence, or `verify --deep`."""

import json
import os
import random
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import support_cli
import test_hand as hand
from test_hand import FOCALD, CASE, run, until

CHANCE = random.Random(11)
PAGE = 8192


def database(node):
    return os.path.join(node.dir, "focal.db")


def digests(node):
    return node.ctl("verify")["digests"]


def equal(nodes):
    """All scopes that two of them hold have the same digest at both."""
    def look():
        seen = [digests(n) for n in nodes]
        return all(a[s] == b[s] for a in seen for b in seen for s in a.keys() & b.keys()) and seen
    return until("equal digests", look)


def new_case(home, node, quarter):
    return node.ctl("case", "new", "--from", home.file("case.json", json.dumps(CASE | {"received_quarter": quarter})))["id"]


def everywhere(nodes, ids):
    for n in nodes:
        for ref in ids:
            until(f"{ref} at {n.code}", lambda n=n, ref=ref: n.show(ref))


def alone(node, others, on):
    """Cuts or heals all links of a node, by hand."""
    for other in others:
        node.ctl("office", "pause" if on else "resume", other.code)


def verdict(node):
    """Who finds it: "start", "fence", "verify" or "nobody". The daemon does not run afterwards."""
    at = os.path.getsize(node.log)
    files = [f for f in (database(node), database(node) + "-wal") if os.path.exists(f)]
    before = [open(f, "rb").read() for f in files]
    if not starts(node):
        assert before == [open(f, "rb").read() for f in files], "a refused database was written to"
        return "start"
    done = hand.subprocess.run([hand.FOCALCTL, "--socket", node.socket, "verify", "--deep", "--json"], capture_output=True, text=True)
    if node.process.poll() is None:
        assert node.end() in (0, 65), "a damaged page met while running"
    else:
        node.process = None
    if done.returncode == 0:
        return "fence" if "older copy" in open(node.log, errors="replace").read()[at:] else "nobody"
    if done.stdout:
        said = json.loads(done.stdout)
        assert said["errors"] and "--rejoin" in said["next"], said
    return "verify"


def starts(node):
    """False: it refused with 65, and named file and next step."""
    with open(node.log, "ab") as log:
        at = log.tell()
        node.process = hand.subprocess.Popen([FOCALD, "run", "--dir", node.dir], stdin=hand.subprocess.DEVNULL, stdout=log, stderr=log)
    until("an answer or an end", lambda: node.process.poll() is not None or node.answers())
    code = node.process.poll()
    if code is None:
        return True
    node.process = None
    said = open(node.log, errors="replace").read()[at:]
    assert code == 65, (code, said)
    assert "focal.db" in said and f"focald setup --rejoin --dir {node.dir}" in said, said
    return False


def rejoin(node):
    told = json.loads(run(FOCALD, "setup", "--rejoin", "--dir", node.dir, "--json").stdout)
    assert told["office"] == node.code and told["schema"] == "focal.rejoin/1", told
    return told


class Kept:
    """Directories and fences as they were, to be damaged again and again; each database keeps its place on the disk, because
    its fence knows it by that."""

    def __init__(self, nodes, name):
        self.nodes, self.name = nodes, name
        shutil.copytree(support_cli.OWN, nodes[0].dir + ".fences." + name)
        for n in nodes:
            shutil.copytree(n.dir, self.copy(n), ignore=lambda _, names: [f for f in names if f.endswith(".sock")])
            os.link(database(n), self.copy(n) + ".place")

    def copy(self, node):
        return f"{node.dir}.{self.name}"

    def restore(self):
        shutil.rmtree(support_cli.OWN)
        shutil.copytree(self.nodes[0].dir + ".fences." + self.name, support_cli.OWN)
        for n in self.nodes:
            shutil.rmtree(n.dir)
            shutil.copytree(self.copy(n), n.dir)
            overwrite(self.copy(n) + ".place", database(n))
            os.unlink(database(n))
            os.link(self.copy(n) + ".place", database(n))


def overwrite(path, by):
    with open(path, "r+b") as to, open(by, "rb") as f:
        to.truncate(0)
        to.write(f.read())


# ---- the ways ------------------------------------------------------------------------------------------------------------

def write_at(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def flip_bits(node):
    """In a hundred places of the file and its log."""
    for path in (database(node), database(node) + "-wal"):
        if not os.path.exists(path):
            continue
        size = os.path.getsize(path)
        with open(path, "r+b") as f:
            for _ in range(100):
                at = CHANCE.randrange(size)
                f.seek(at)
                byte = f.read(1)[0] ^ (1 << CHANCE.randrange(8))
                f.seek(at)
                f.write(bytes([byte]))


def pages(node, which):
    return [int(line) for line in hand.sql(node, f"select pageno from dbstat where {which}")]


def pages_of(node, table):
    """Pages that hold rows of a table, by SQLite's own word."""
    return pages(node, f"name = '{table}' and pagetype in ('leaf', 'internal')")


def flip_in_segment(node):
    """One bit of an entry that the others hold too, with entries of this office's own behind it."""
    body = overflow_pages(node, "segment")
    write_flipped(node, body[len(body) // 3], 8)        # right behind the number of the next page: always in use


def flip_in_derived(node):
    pages = pages_of(node, "part")
    write_flipped(node, pages[len(pages) // 2], PAGE - 40)


def write_flipped(node, page, at):
    with open(database(node), "r+b") as f:
        f.seek((page - 1) * PAGE + at)
        byte = f.read(1)[0] ^ 0x10
        f.seek((page - 1) * PAGE + at)
        f.write(bytes([byte]))


def overflow_pages(node, table):
    return pages(node, f"name = '{table}' and pagetype = 'overflow'")


def zero_leaf_of_segments(node):
    leaves = pages_of(node, "segment")
    write_at(database(node), (leaves[len(leaves) // 2] - 1) * PAGE, bytes(PAGE))


def zero_facts(node):
    """Membership, secret and names of logs: what a node cannot start without."""
    for table in ("meta", "statement", "log"):
        for page in pages_of(node, table):
            write_at(database(node), (page - 1) * PAGE, bytes(PAGE))


def zero_first_page(node):
    write_at(database(node), 0, bytes(PAGE))


def cut_in_half(node):
    os.truncate(database(node), os.path.getsize(database(node)) // 2 // PAGE * PAGE)


def cut_in_page(node):
    os.truncate(database(node), os.path.getsize(database(node)) - 1000)


def delete_log(node):
    os.unlink(database(node) + "-wal")


def delete_database(node):
    for f in os.listdir(node.dir):
        if f.startswith("focal.db"):
            os.unlink(os.path.join(node.dir, f))


def old_page(node):
    """The names and heads of all logs as they were an hour ago; everything else of today."""
    page = pages_of(node, "log")[0]
    with open(node.dir + ".early", "rb") as f:
        f.seek((page - 1) * PAGE)
        write_at(database(node), (page - 1) * PAGE, f.read(PAGE))
    if os.path.exists(database(node) + "-wal"):
        os.unlink(database(node) + "-wal")


def old_file(node):
    overwrite(database(node), node.dir + ".early")


# After a power cut, with a log beside the file, or after a clean end; who may find it; whether what only this office had
# must be there afterwards.
CUT, ENDED = "cut", "ended"
WAYS = [
    (flip_bits, CUT, {"start", "verify"}, False),
    (flip_bits, ENDED, {"start", "verify"}, False),
    (flip_in_segment, ENDED, {"start"}, True),
    (flip_in_derived, ENDED, {"start", "verify"}, True),
    (zero_leaf_of_segments, ENDED, {"start"}, False),
    (zero_facts, ENDED, {"start"}, True),
    (zero_first_page, ENDED, {"start"}, True),
    (zero_first_page, CUT, {"start"}, True),
    (cut_in_half, ENDED, {"start"}, False),
    (cut_in_page, ENDED, {"start"}, False),
    (delete_log, CUT, {"fence"}, False),
    (old_page, ENDED, {"start", "verify"}, False),
    (old_file, ENDED, {"fence"}, False),
    (delete_database, ENDED, {"start"}, False),
]


def prepare(home):
    """Three offices with history; then one of them alone, with cases that nobody else has, and the power cut."""
    hq, ken, ssd = nodes = hand.found(home)
    shared = [new_case(home, ken, "2018-Q1"), new_case(home, ssd, "2018-Q1")]
    everywhere(nodes, shared)
    assert ken.end() == 0
    shutil.copy(database(ken), ken.dir + ".early")
    ken.start()
    rows = ["country,received_quarter,allegation_type,victims"]
    kinds = ["sexual_exploitation", "sexual_abuse", "other", "unknown"]
    rows += [f"KEN,2019-Q{CHANCE.randint(1, 4)},{CHANCE.choice(kinds)},female.adult" for _ in range(3000)]
    bulk = home.file("bulk.csv", "\n".join(rows) + "\n")
    ken.ctl("import", bulk, "--kind", "case")
    equal(nodes)
    assert ken.end() == 0               # all of it in the file
    ken.start()
    alone(ken, (hq, ssd), True)
    lonely = [new_case(home, ken, "2020-Q1") for _ in range(5)]
    for n in (hq, ssd):
        assert all(n.show(ref) is None for ref in lonely)
    ken.end(signal.SIGKILL)
    for n in (hq, ssd):
        assert n.end() == 0
    kept = {CUT: Kept(nodes, CUT)}
    ken.start()
    assert ken.end() == 0
    kept[ENDED] = Kept(nodes, ENDED)
    return nodes, shared, lonely, kept


def log_has_first_page(node):
    """A page that stands in the log is read from there: what became of it in the file, as when a power cut tore it, is nothing."""
    log = open(database(node) + "-wal", "rb").read() if os.path.exists(database(node) + "-wal") else b""
    return any(int.from_bytes(log[at:at + 4], "big") == 1 for at in range(32, len(log), 24 + PAGE))


def one_way(home, nodes, way, said, readable, shared, lonely):
    hq, ken, ssd = nodes
    way(ken)
    if way is zero_first_page and log_has_first_page(ken):
        said = {"nobody"}
    for n in (hq, ssd):
        n.start()
    found_by = verdict(ken)
    assert found_by in said, (way.__name__, found_by)
    told = rejoin(ken)
    kept_aside = told["aside"]
    assert (kept_aside is None) == (way is delete_database), told
    assert kept_aside is None or os.path.exists(kept_aside) or os.path.exists(kept_aside + "-wal"), told
    ken.start()
    alone(ken, (hq, ssd), False)
    equal(nodes)
    everywhere(nodes, shared)
    if readable:
        everywhere(nodes, lonely)
    after = new_case(home, ken, "2021-Q1"), new_case(home, hq, "2021-Q1")
    everywhere(nodes, after)
    equal(nodes)
    for n in nodes:
        assert n.ctl("verify", "--deep")["errors"] == []
    print(f"{way.__name__}: found by {found_by}; {told['entries']} entries salvaged, {told['waiting']} waited, "
          f"{told['missing']} missing in {told['cut_logs']} logs; {sum(ken.show(r) is not None for r in lonely)} of {len(lonely)} that only it had")
    for n in nodes:
        assert n.end() == 0


def headquarters_lost(home, nodes, shared, lonely):
    """All but keys and configuration; it is dialled by those it no longer knows, and admits new ones afterwards."""
    hq, ken, ssd = nodes
    delete_database(hq)
    for n in (ken, ssd):
        n.start()
    alone(ken, (hq, ssd), False)
    assert not starts(hq)
    told = run(FOCALD, "setup", "--rejoin", "--dir", hq.dir).stdout
    assert "Office HQ of the network" in told and f"focald run --dir {hq.dir}" in told, told
    hq.start()
    equal(nodes)
    everywhere(nodes, shared + lonely)
    after = new_case(home, hq, "2021-Q1")
    everywhere(nodes, [after])
    uga = hand.bring_in(home, hq, home.file("passphrase", "correct horse battery staple\n"), "UGA")
    equal([hq, ken, ssd, uga])
    everywhere([uga], [after])
    print("headquarters lost its database and is headquarters again")
    for n in (hq, ken, ssd, uga):
        assert n.end() == 0


def refused(home, nodes):
    hq, ken, _ = nodes
    ken.start()
    done = run(FOCALD, "setup", "--rejoin", "--dir", ken.dir, code=75)
    assert "stop it first" in done.stderr, done.stderr
    assert ken.end() == 0
    run(FOCALD, "setup", "--rejoin", "--dir", ken.dir, "--office", "KEN", code=64)
    os.rename(os.path.join(ken.dir, "keys"), os.path.join(ken.dir, "away"))
    done = run(FOCALD, "setup", "--rejoin", "--dir", ken.dir, code=78)
    assert "new invitation" in done.stderr, done.stderr
    os.rename(os.path.join(ken.dir, "away"), os.path.join(ken.dir, "keys"))
    assert os.path.exists(database(ken)) and not os.path.exists(database(ken) + ".rejoin")
    kept = os.path.join(hq.dir, "keys", "network.focal")
    assert os.stat(kept).st_mode & 0o777 == 0o600


def main():
    with hand.Home() as home:
        nodes, shared, lonely, kept = prepare(home)
        refused(home, nodes)
        chosen = sys.argv[1:]
        for way, state, said, readable in WAYS:
            if chosen and way.__name__ not in chosen:
                continue
            kept[state].restore()
            one_way(home, nodes, way, said, readable, shared, lonely)
        kept[CUT].restore()
        headquarters_lost(home, nodes, shared, lonely)


if __name__ == "__main__":
    main()
