"""What must never stand where it has no business: looked for in every log of a daemon, in every reply to who may not read, and in
every file of an office that does not read the country.

It watches each start of focald and focalctl by a script, so no test need call it: importing support_cli is enough. Canaries are
what passes by there (values entered in cases, references of records, passphrases, tokens, the eight words) and the keys of each
directory that a daemon ran in, as they are, in hexadecimal and in base64. At the end of the program a hit ends it with 1.

In lines of level debug a reference or a value may stand, a secret never.
"""
import base64
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

HUMAN = re.compile(rb"\b[A-Z]{2,8}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]\b")       # of a record, as people read it
LINE = re.compile(rb"^\S+ (error|warning|info|debug) (\w+): ")
RECORD_DIGITS = 64                      # of a reference in hexadecimal; cut to 50 it still names one
SCOPED = ("concerned_entity", "mailbox")        # fields of the country that hold 32 bytes of anybody's choice
SECRET_FILES = ("--passphrase-file", "--join-file", "--words-file", "--store-passphrase-file")

real_popen = subprocess.Popen
logs, secrets, records, values, replies, scoped = {}, {}, set(), set(), [], []
countries, hits, looked = {}, [], {"lines": 0, "replies": 0, "files": 0}


# ---- what is looked for ----

def secret(what, content):
    """As it is, in hexadecimal, and in both alphabets of base64, as far as that does not depend on what follows."""
    whole = content[:len(content) // 3 * 3]
    for form in (content, content.hex().encode(), content.hex().upper().encode(), base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
        if len(form) >= 8:
            secrets[form] = what


def value(text):
    """Single words, short ones, numbers and days stand everywhere."""
    if len(text) >= 6 and re.search("[A-Za-z]", text) and re.search(r"[\W_\d]", text) and not re.match(r"\d{4}-", text):
        values.add(text.encode())


def values_in(fields):
    if isinstance(fields, dict):
        for name, inside in fields.items():
            if name in SCOPED and fields.get("country"):
                scoped_value(inside, fields["country"])
            values_in(inside)
    elif isinstance(fields, list):
        for inside in fields:
            values_in(inside)
    elif isinstance(fields, str):
        value(fields)


def scoped_value(text, country):
    if re.fullmatch("[0-9a-f]{64}", str(text)):
        scoped.append((bytes.fromhex(text), country))


def content_of(path):
    """Of a file that is one: a pipe would give what it has to us instead."""
    if not os.path.isfile(path):
        return b""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def keys_of(directory):
    """Of an office whose store key is plain, all; of others nothing can be told without what opens it."""
    store, tool = os.path.join(directory, "keys/store.key"), os.path.join(os.environ.get("FOCAL_BIN_DIR", ""), "..", "tests", "focal_sql")
    if not content_of(store):
        return
    with real_popen([tool, directory, "keys"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asked:
        said = asked.communicate(timeout=60)[0].split()
    for what, digits in zip(said[::2], said[1::2]):
        key = bytes.fromhex(digits.decode())
        secret(f"{what.decode()} of {directory}", key)
        for at in range(0, len(key) if len(key) > 32 else 0, 32):
            secret(f"{what.decode()} of {directory}", key[at:at + 32])


# ---- where it passes by ----

def option(words, *names):
    return [after for word, after in zip(words, words[1:]) if word in names]


def asked(words):
    """What a command line carries."""
    for path in option(words, *SECRET_FILES):
        text = content_of(path).strip()
        if text:
            secret("what stands in " + os.path.basename(path), text)
    for text in option(words, "--set", "--add"):
        value(text.partition("=")[2])
    for path in option(words, "--from"):
        try:
            values_in(json.loads(content_of(path) or b"null"))
        except ValueError:
            pass
    if "import" in words:
        for path in (w for w in words if w.endswith(".csv") and os.path.isfile(w)):
            with open(path, newline="", encoding="utf-8", errors="replace") as f:
                for row in list(csv.reader(f))[1:]:
                    for cell in row:
                        value(cell)
    for code in option(words, "invite", "--office"):
        countries.setdefault(code, set()).update(option(words, "--country"))


def answered(said):
    """What a command gave back."""
    said = said.encode() if isinstance(said, str) else said or b""
    records.update(r.decode() for r in re.findall(rb'"record": ?"([0-9a-f]{64})"', said))
    for token in re.findall(rb'"token": ?"([^"]+)"', said):
        secret("a token", token)
    for words in re.findall(rb'"words": ?\[([^\]]+)\]', said):
        secret("the eight words", b" ".join(re.findall(rb'"([^"]+)"', words)))


def log(name, file):
    """Kept open, so that it can be read when its name is gone."""
    about = os.fstat(file)
    if (about.st_dev, about.st_ino) not in logs:
        logs[about.st_dev, about.st_ino] = (name, os.dup(file))


def heard(name, text):
    """Of a daemon whose log a test reads by itself."""
    with tempfile.TemporaryFile() as file:
        file.write(text.encode() if isinstance(text, str) else text)
        file.flush()
        log(name, file.fileno())


def reply(who, said, words):
    """To somebody who may not read. What they typed themselves is no news to them."""
    replies.append((who, said.encode() if isinstance(said, str) else said, " ".join(words).encode()))


class Watched(real_popen):
    def __init__(self, args, *rest, **more):
        words = [os.fspath(a) for a in args] if isinstance(args, (list, tuple)) else []
        words = [w.decode() if isinstance(w, bytes) else w for w in words]
        at = next((i for i, w in enumerate(words) if os.path.basename(w) in ("focald", "focalctl")), None)
        self.canary, self.instead = words[at:] if at is not None else [], None
        runs = self.canary[1:2] == ["run"] and os.path.basename(self.canary[0]) == "focald"
        if self.canary:
            asked(self.canary)
        if runs:
            directory = next(iter(option(words, "--dir") or [os.path.dirname(c) for c in option(words, "--config")]), None)
            keys_of(directory)
            for stream in ("stdout", "stderr"):
                if more.get(stream) == subprocess.DEVNULL:
                    more[stream] = self.instead = self.instead or tempfile.TemporaryFile()
                if hasattr(more.get(stream), "fileno"):
                    log(f"the log of {os.path.basename(directory)}", more[stream].fileno())
        super().__init__(args, *rest, **more)
        if self.instead:
            self.instead.close()

    def communicate(self, *args, **more):
        said = super().communicate(*args, **more)
        if self.canary:
            answered(said[0])
        return said


subprocess.Popen = Watched


# ---- looking ----

def names_a_record(line):
    return HUMAN.search(line) or any(word.lower().decode()[:RECORD_DIGITS] in records or any(r.startswith(word.lower().decode()) for r in records)
                                     for word in re.findall(rb"[0-9a-fA-F]{50,}", line))


def look_at(where, text, may_be_secret_only):
    for form, what in secrets.items():
        if form in text:
            hits.append(f"{where}: {what}")
    if may_be_secret_only:
        return
    if names_a_record(text):
        hits.append(f"{where}: a reference of a record")
    hits.extend(f"{where}: the value {v.decode()}" for v in values if v in text)


def search():
    """All hits so far, in words; each call looks anew."""
    found_in_files = [h for h in hits if h.startswith("file ")]
    hits.clear()
    hits.extend(found_in_files)
    looked.update(lines=0, replies=len(replies))
    for name, file in logs.values():
        for number, line in enumerate(content_of(f"/proc/self/fd/{file}").splitlines(), 1):
            about = LINE.match(line)
            looked["lines"] += 1
            look_at(f"{name}, line {number}", line, about and about.group(1) == b"debug")
    for who, said, words in replies:
        for needle in list(values) + [m.group(0) for m in HUMAN.finditer(said)] + [r.encode() for r in records]:
            if needle in said and needle not in words:
                hits.append(f"a reply to {who}: {needle.decode()}")
    return hits


def files_of(directory, code, opened):
    """Those of an office: nothing of a country it does not read. opened: what its pages hold behind their encryption."""
    keys_of(directory)
    needles = [v for v, country in scoped if code in countries and country not in countries[code]]
    for folder, _, names in os.walk(directory) if needles else ():
        for path in (os.path.join(folder, n) for n in names):
            content = content_of(path) if os.path.isfile(path) else b""
            if path.endswith("/focal.db"):
                content += opened(folder)
            looked["files"] += 1
            if any(n in content or n.hex().encode() in content for n in needles):
                hits.append(f"file {path}: a value of a country that {code} does not read")


def finish():
    """At the very end. Who started a daemon and watched nothing has not looked."""
    if not logs:
        return
    search()
    print(f"{looked['lines']} lines of {len(logs)} logs, {looked['replies']} replies to who may not read and {looked['files']} files of others held against "
          f"{len(secrets)} forms of secrets, {len(records)} records and {len(values)} values")
    if not secrets:
        hits.append("no secret was seen, so nothing was looked for")
    for hit in hits:
        print("canary: " + hit, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    if hits:
        os._exit(1)
