#!/usr/bin/env python3
"""The demo, as a person and as a program runs it: it ends 0 with equal tables, also with a figures file nobody has seen;
refuses impossible figures by table and difference; and leaves no process behind, however it ends."""

import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import support_canary
import support_cli  # noqa: F401

BIN, SOURCE = os.environ["FOCAL_BIN_DIR"], os.environ["FOCAL_SOURCE_DIR"]
FOCALD, FOCALCTL = os.path.join(BIN, "focald"), os.path.join(BIN, "focalctl")
SHIPPED = os.path.join(SOURCE, "conf", "data", "un_sea_quarterly.csv")
LIMIT = 180             # s; a person waits at most 60, a sanitizer and a busy machine take longer
HEAD = "period,unit,dimension,part,value,count,source,note\n"

# A quarter nobody shipped: spanning codes, type counted in victims, a partial and an overlapping table, the disputed
# field published, and two quarters in one file.
UNSEEN = HEAD + """\
2009-Q3,allegation,total,,all,23,https://example.org/a,invented for this test
2009-Q3,allegation,entity_class,,peace_operation,5,https://example.org/a,
2009-Q3,allegation,entity_class,,agency_fund_programme+implementing_partner,11,https://example.org/a,
2009-Q3,allegation,entity_class,,ngo,7,https://example.org/a,
2009-Q3,allegation,incident_period,,2009,9,https://example.org/a,
2009-Q3,allegation,incident_period,,2006+2007+2008,8,https://example.org/a,
2009-Q3,allegation,incident_period,,before-2006,2,https://example.org/a,
2009-Q3,allegation,incident_period,,unknown,4,https://example.org/a,
2009-Q3,allegation,channel,,hotline,10,https://example.org/a,
2009-Q3,allegation,channel,,in_person,13,https://example.org/a,
2009-Q3,victim,total,,all,31,https://example.org/a,
2009-Q3,victim,allegation_type,,sexual_abuse,12,https://example.org/a,
2009-Q3,victim,allegation_type,,sexual_exploitation,17,https://example.org/a,
2009-Q3,victim,allegation_type,,unknown,2,https://example.org/a,
2009-Q3,victim,victim_sex_age,partial,female.child,9,https://example.org/a,
2009-Q3,victim,victim_sex_age,partial,male.adult,3,https://example.org/a,
2009-Q3,perpetrator,total,,all,26,https://example.org/a,
2009-Q3,perpetrator,perpetrator_sex,,male,24,https://example.org/a,
2009-Q3,perpetrator,perpetrator_sex,,unknown,2,https://example.org/a,
2009-Q3,allegation,member_state_referral,overlap,referred,6,https://example.org/a,
2009-Q4,allegation,total,,all,8,https://example.org/b,
2009-Q4,allegation,status,,under_investigation,5,https://example.org/b,
2009-Q4,allegation,status,,received,3,https://example.org/b,
"""
IMPOSSIBLE = HEAD + """\
2009-Q3,allegation,total,,all,10,https://example.org/a,
2009-Q3,allegation,status,,received,7,https://example.org/a,
2009-Q3,allegation,status,,substantiated,6,https://example.org/a,
"""


def daemons(of):
    """Processes of focald that work under a directory."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = open(path, "rb").read().split(b"\0")
        except OSError:
            continue
        if len(words) > 3 and words[1] == b"run" and words[3].startswith(os.fsencode(of) + b"/"):
            found.append(int(path.split("/")[2]))
    return found


def demo(*options, code=0, home):
    env = dict(os.environ, TMPDIR=home)
    done = subprocess.run([FOCALD, "demo", *options], capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL, env=env)
    assert done.returncode == code, f"demo {options}: exit {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    return done


def nothing_left(home):
    assert not daemons(home), f"processes left: {daemons(home)}"
    assert not glob.glob(os.path.join(home, "focal-demo-*")), os.listdir(home)


def events(text):
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["schema"] == "focal.demo/1", lines[-1]
    assert all(line["schema"] == "focal.demo.event/1" for line in lines[:-1])
    assert not [line for line in lines if line.get("event") == "differs"], lines
    return lines


def shipped(home):
    report = os.path.join(home, "shipped.html")
    began = time.monotonic()
    out = demo("--figures", SHIPPED, "--report", report, home=home).stdout
    print(f"the demo took {time.monotonic() - began:.1f} s")
    assert "\033" not in out, "no escape sequences when it is not a terminal"
    assert "equal" in out and "DIFFERS" not in out, out
    # What 2018-Q2 was published with.
    for number in ("70", "84", "88"):
        assert number in out, out
    assert "invented" in out, "rows that were made up are said to be made up"
    page = open(report, encoding="utf-8").read()
    assert page.lstrip().lower().startswith("<!doctype html") and "<svg" in page and "<script" not in page
    assert "invented" in page or "generated" in page
    nothing_left(home)


def unseen(home):
    path = os.path.join(home, "unseen.csv")
    open(path, "w").write(UNSEEN)
    report = os.path.join(home, "unseen.html")
    lines = events(demo("--figures", path, "--offices", "2", "--report", report, "--json", home=home).stdout)
    assert lines[-1]["ok"] is True and lines[-1]["offices"] == [] and lines[-1]["report"] == report
    steps = [line["step"] for line in lines if line.get("event") == "step"]
    assert steps == list(range(1, 11)), steps
    tables = next(line for line in lines if line.get("event") == "step" and line["name"] == "tables")
    assert tables["equal"] > 0 and tables["different"] == 0, tables
    assert os.path.getsize(report) > 1000
    nothing_left(home)


def watch(where, office):
    """The demo starts its daemons itself; their logs are held against the canaries like those of others."""
    support_canary.keys_of(os.path.join(where, office["code"]))
    with open(os.path.join(where, office["code"] + ".log"), "rb") as log:
        support_canary.log(f"the log of {office['code']} in the demo", log.fileno())
    said = subprocess.run([FOCALCTL, "--socket", office["socket"], "case", "list", "--json"], capture_output=True)
    assert said.returncode == 0, said.stderr


def kept(home):
    where = os.path.join(home, "kept")
    try:
        lines = events(demo("--figures", SHIPPED, "--dir", where, "--keep", "--json", "--offices", "3", home=home).stdout)
        last = lines[-1]
        assert [o["code"] for o in last["offices"]][0] == "HQ" and len(last["offices"]) == 4, last
        assert os.path.isfile(last["report"]) and last["report"].startswith(where)
        for o in last["offices"]:
            os.kill(o["pid"], 0)
            watch(where, o)
            said = subprocess.run([FOCALCTL, "--socket", o["socket"], "report", "--period", "2018-Q2", "--json"], capture_output=True, text=True)
            assert said.returncode == 0, said.stderr
            said = json.loads(said.stdout)
            assert (said["allegations"], said["victims"], said["perpetrators"]) == (70, 84, 88), (o["code"], said)
        demo("--figures", SHIPPED, "--dir", where, code=1, home=home)       # not over one that runs
        assert len(daemons(where)) == 4
        demo("--stop", "--dir", where, home=home)
        assert not daemons(where)
        demo("--stop", "--dir", where, home=home)                           # once more does no harm
        demo("--stop", "--dir", home, code=1, home=home)                    # nothing was kept there
    finally:
        for pid in daemons(where):
            os.kill(pid, signal.SIGKILL)


def interrupted(home):
    """Ctrl-C and TERM in the middle, and a demo that is killed outright: no process stays."""
    for how, after in ((signal.SIGINT, 3), (signal.SIGTERM, 1), (signal.SIGKILL, 2)):
        env = dict(os.environ, TMPDIR=home)
        running = subprocess.Popen([FOCALD, "demo", "--figures", SHIPPED, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   stdin=subprocess.DEVNULL, env=env)
        end = time.monotonic() + LIMIT
        while len(daemons(home)) < after:
            assert time.monotonic() < end and running.poll() is None, running.communicate()
            time.sleep(0.02)
        running.send_signal(how)
        running.communicate(timeout=30)
        assert running.returncode == (128 + how if how != signal.SIGKILL else -how), running.returncode
        while daemons(home):
            assert how == signal.SIGKILL and time.monotonic() < end, f"left after {how}: {daemons(home)}"
            time.sleep(0.02)
        for left in glob.glob(os.path.join(home, "focal-demo-*")):
            assert how == signal.SIGKILL, f"{left} stays after {how}"
            shutil.rmtree(left)
        nothing_left(home)


def noticed(home):
    """A daemon that dies under the demo is not passed over."""
    env = dict(os.environ, TMPDIR=home)
    running = subprocess.Popen([FOCALD, "demo", "--figures", SHIPPED, "--report", os.path.join(home, "r.html")], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=env)
    end = time.monotonic() + LIMIT
    while len(daemons(home)) < 2:
        assert time.monotonic() < end and running.poll() is None, running.communicate()
        time.sleep(0.01)
    os.kill(daemons(home)[-1], signal.SIGKILL)
    out, err = running.communicate(timeout=LIMIT)
    assert running.returncode == 1 and "signal 9" in out and err and "All of it held" not in out, (running.returncode, out, err)
    nothing_left(home)


def refused(home):
    path = os.path.join(home, "impossible.csv")
    open(path, "w").write(IMPOSSIBLE)
    said = demo("--figures", path, code=1, home=home).stderr
    assert "status" in said and "2009-Q3" in said and "3" in said, said
    open(path, "w").write("this,is\nnot,it\n")
    assert demo("--figures", path, code=1, home=home).stderr
    assert "no-such.csv" in demo("--figures", os.path.join(home, "no-such.csv"), code=1, home=home).stderr
    demo("--offices", "99", code=64, home=home)
    demo("--nonsense", code=64, home=home)
    demo("--stop", code=64, home=home)
    long = os.path.join(home, "x" * 110)
    said = demo("--figures", SHIPPED, "--dir", long, code=1, home=home).stderr
    assert "107" in said, said
    assert not os.path.exists(long), "what it made it takes away"
    nothing_left(home)


def main():
    home = tempfile.mkdtemp(prefix="fd-", dir="/tmp")
    try:
        for part in (refused, shipped, unseen, kept, interrupted, noticed):
            part(home)
            print(f"{part.__name__}: ok", flush=True)
    finally:
        for pid in daemons(home):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
