#!/usr/bin/env python3
"""The house rules: what src/CMakeLists.txt and src's README promise, held against what the files do.

    house.py --root SOURCE-TREE [--libs DIRECTORY-OF-STATIC-LIBRARIES [--instrumented]]

Prints a line for each break of a rule, "file:line: rule: what", and ends with 1 if there was one.
"""
import argparse
import pathlib
import re
import subprocess
import sys

FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 90

# Rooms that neither ask the time nor draw by chance: everything but io, and store which is asked in their stead.
NO_CLOCK = ("base model merge crypto wire oplog sync node control config report exchange admin").split()
# Rooms without input or output: no header of the operating system either.
PURE = ("base model merge crypto wire oplog sync node control config").split()

# Doors that more rooms may use than the table says: the store's interface belongs to the core that calls it.
LENT_DOORS = {"store": ("oplog", "sync", "node", "admin")}

# Whose row must have which library, to include its header.
LIBRARY_HEADERS = [
    (r"uv\.h|uv/.*", "PkgConfig::UV"),
    (r"nng/.*", "nng::nng"),
    (r"sqlite3.*\.h", "PkgConfig::SQLITE"),
    (r"sodium\.h|sodium/.*", "PkgConfig::SODIUM"),
    (r"jansson.*\.h", "PkgConfig::JANSSON"),
    (r"zstd.*\.h|zdict\.h", "PkgConfig::ZSTD"),
    (r"ini\.h", "PkgConfig::INIH"),
    (r"libsmartcols/.*", "PkgConfig::SMARTCOLS"),
    (r"pthread\.h|threads\.h", "Threads::Threads"),
    (r"math\.h|tgmath\.h", "m"),
]
OS_HEADERS = re.compile(r"(sys|netinet|arpa|net|linux)/.*|(unistd|fcntl|poll|dirent|netdb|signal|pwd|grp|termios|spawn)\.h")

CLOCK_AND_CHANCE = re.compile(
    r"(?<![\w.>])(time|clock|clock_gettime|clock_gettime64|timespec_get|gettimeofday|ftime|uv_now|uv_hrtime|uv_clock_gettime"
    r"|uv_gettimeofday|nng_clock|rand|rand_r|random|drand48|lrand48|mrand48|arc4random\w*|getrandom|getentropy|uv_random"
    r"|nng_random|randombytes\w*|crypto_(?!\w*seed_keypair)\w*keypair|crypto_\w+_keygen|crypto_box_seal|sqlite3_randomness)\s*\("
)
HEAP = re.compile(
    r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|aligned_alloc|posix_memalign"
    r"|getline|getdelim|open_memstream|alloca)\s*\("
)
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")

# What may stand only between #ifdef FOCAL_PLANT and its #else or #endif, and so is in no normal build.
PLANTED_ONLY = re.compile(r"^\s*#\s*ifdef\s+FOCAL_PLANT\b.*?^\s*#\s*(?:else|endif)\b", re.M | re.S)

# Folders of tests whose programs are named after their files: tests/CMakeLists.txt.
TEST_KINDS = ("unit", "laws", "vectors", "sim", "power", "golden")

# Data that may change while the program runs: the one global of the house, for tests.
MUTABLE = {("base", "hook")}


class Row:
    def __init__(self, kind, name, folder, uses, links):
        self.kind, self.name, self.folder, self.uses, self.links = kind, name, folder, uses, links


def parse_table(text):
    """The rows of src/CMakeLists.txt, by folder."""
    rows = {}
    text = re.sub(r"#.*", "", text)
    for kind, inside in re.findall(r"(?<!\w)(room|program)\s*\(([^)]*)\)", text):
        words = inside.split()
        lists = {"": [], "FOLDER": [], "USES": [], "LINKS": []}
        key = ""
        for word in words:
            if word in lists:
                key = word
            else:
                lists[key].append(word)
        name = lists[""][0]
        folder = (lists["FOLDER"] or [name])[0]
        rows[folder] = Row(kind, name, folder, lists["USES"], lists["LINKS"])
    return rows


def blank(match):
    """As many lines as before, so that line numbers stay."""
    return "\n" * match.group(0).count("\n") or " "


def without_comments(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*',
                  lambda m: m.group(0) if m.group(0)[0] in "\"'" else blank(m), text, flags=re.S)


def without_text(code):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', code)


class House:
    def __init__(self, root, libs=None, instrumented=False):
        self.root, self.libs, self.instrumented = root, libs, instrumented
        self.found = []
        self.rows = parse_table((root / "src/CMakeLists.txt").read_text())
        self.rooms = [r.name for r in self.rows.values() if r.kind == "room"]
        self.code = {}
        for folder in ("src", "include"):
            for path in sorted((root / folder).rglob("*.[ch]")):
                self.code[path] = without_comments(path.read_text())

    def report(self, path, line, rule, what):
        where = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        self.found.append(f"{where}:{line}: {rule}: {what}")

    def row_of(self, path):
        """The row a file of src belongs to, or None."""
        parts = path.relative_to(self.root).parts
        return self.rows.get(parts[1]) if parts[0] == "src" and len(parts) == 3 else None

    def door_owner(self, stem):
        """store_sqlite is a door of store."""
        owners = [r for r in self.rooms if stem == r or stem.startswith(r + "_")]
        return max(owners, key=len) if owners else None

    def lines(self, path, pattern):
        for number, line in enumerate(self.code[path].split("\n"), 1):
            for match in re.finditer(pattern, line):
                yield number, match

    # ---- rules ----

    def check_places(self):
        if not self.rooms:
            self.report(self.root / "src/CMakeLists.txt", 1, "places", "no rooms found")
        for path in self.code:
            if path.relative_to(self.root).parts[0] == "src":
                if not self.row_of(path):
                    self.report(path, 1, "places", "belongs to no room and no program of src/CMakeLists.txt")
            elif not self.door_owner(path.stem):
                self.report(path, 1, "places", "a door without a room")
        for path in self.code:
            if path.suffix == ".h" and self.row_of(path):
                wanted = f'#include "{path.name}"'
                if not any(wanted in self.code[p] for p in self.code if p.parent == path.parent and p != path):
                    self.report(path, 1, "places", "a header that nothing includes")

    def check_includes(self):
        for path in self.code:
            row = self.row_of(path)
            door = None if row else self.door_owner(path.stem)
            if not row and not door:
                continue
            if not row:
                owner = next(r for r in self.rows.values() if r.name == door)
                row = Row("door", owner.name, owner.folder, owner.uses, [])
            for number, match in self.lines(path, r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>|(.*))'):
                quoted, angled, other = match.groups()
                if quoted:
                    self.check_quoted(path, number, row, quoted)
                elif angled:
                    self.check_angled(path, number, row, angled)
                else:
                    self.report(path, number, "includes", f"cannot be read: {other}")

    def check_quoted(self, path, number, row, name):
        door = re.fullmatch(r"focal/(\w+)\.h", name)
        if door:
            owner = self.door_owner(door.group(1))
            allowed = owner == row.name or owner in row.uses or row.name in LENT_DOORS.get(door.group(1), ())
            if not owner or not allowed:
                self.report(path, number, "includes", f"{row.name} may not use {name}")
        elif "/" in name or row.kind == "door" or not (path.parent / name).is_file():
            self.report(path, number, "includes", f'"{name}" is neither a door nor in the own folder')

    def check_angled(self, path, number, row, name):
        if name.startswith("focal/"):
            self.report(path, number, "includes", "doors are included in quotes")
        for pattern, library in LIBRARY_HEADERS:
            if re.fullmatch(pattern, name) and library not in row.links:
                self.report(path, number, "includes", f"<{name}> without {library} in the LINKS of {row.name}")
        if row.name in PURE and OS_HEADERS.fullmatch(name):
            self.report(path, number, "includes", f"<{name}> in {row.name}, which has no input or output")

    def check_calls(self):
        for path in self.code:
            row = self.row_of(path)
            if not row:
                continue
            for number, line in enumerate(without_text(self.code[path]).split("\n"), 1):
                for match in CLOCK_AND_CHANCE.finditer(line):
                    if row.name in NO_CLOCK:
                        self.report(path, number, "calls", f"{match.group(1)} in {row.name}: time and chance come in from outside")
                for match in HEAP.finditer(line):
                    if row.name != "base":
                        self.report(path, number, "heap", f"{match.group(1)}: heap memory comes from base")

    def every_text_file(self):
        for folder in ("src", "include", "tests", "conf", "systemd", ".ci"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in (".c", ".h", ".py", ".sh", ".txt", ".md", ".conf", ".service") and path.is_file():
                    yield path
        for name in ("bootstrap", "CMakeLists.txt", "README.md"):
            if (self.root / name).is_file():
                yield self.root / name

    def check_sizes(self):
        for path in self.every_text_file():
            if path.suffix not in (".c", ".h", ".py", ".sh"):
                continue
            lines = path.read_text().split("\n")
            if len(lines) - 1 > FILE_LINES_MAX:
                self.report(path, 1, "sizes", f"{len(lines) - 1} lines, more than {FILE_LINES_MAX}")
            if path.suffix != ".c":
                continue
            start = None
            for number, line in enumerate(lines, 1):
                if line == "{" or re.match(r"\w.*\)\s*\{$", line):
                    start = number
                elif line == "}" and start:
                    if number - start + 1 > FUNCTION_LINES_MAX:
                        self.report(path, start, "sizes",
                                    f"a function of {number - start + 1} lines, more than {FUNCTION_LINES_MAX}")
                    start = None

    def check_unfinished(self):
        for path in self.every_text_file():
            for number, line in enumerate(path.read_text().split("\n"), 1):
                match = UNFINISHED.search(line)
                if match:
                    self.report(path, number, "unfinished", match.group(1))

    def symbols(self, library):
        """(name, type, section) of what the library defines."""
        made = subprocess.run(["nm", "--defined-only", "--format=sysv", str(library)], capture_output=True, text=True,
                              check=True)
        for line in made.stdout.split("\n"):
            cells = [c.strip() for c in line.split("|")]
            if len(cells) == 7 and cells[0] != "Name":
                yield cells[0], cells[2], cells[6]

    def check_symbols(self):
        if not self.libs:
            return
        owners = {}
        for row in self.rows.values():
            if row.kind != "room" or not list((self.root / "src" / row.folder).glob("*.c")):
                continue
            shared = self.private_words(row)
            library = self.libs / f"libfocal_{row.name}.a"
            if not library.is_file():
                self.report(library, 0, "symbols", f"room {row.name} has files but no library: build first")
                continue
            defined = set()
            for name, kind, section in self.symbols(library):
                if name.startswith("focal_plant"):
                    self.report(library, 0, "planted", f"{name} is in a normal build")
                if kind.isupper():
                    defined.add(name)
                    made_by_compiler = re.match(r"__(odr_)?(asan|ubsan|tsan|sancov)", name)
                    if not name.startswith("focal_") and not made_by_compiler and name not in shared:
                        self.report(library, 0, "symbols", f"{name} neither begins with focal_ nor stands in a header of its room")
                    if not made_by_compiler and owners.setdefault(name, row.name) != row.name:
                        self.report(library, 0, "symbols", f"{name} is defined in room {owners[name]} too")
                plain = name.split(".")[0]
                changes = re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", section) or section == "*COM*"
                if changes and not self.instrumented and (row.name, plain) not in MUTABLE:
                    self.report(library, 0, "state", f"{name} is data that lasts and changes; two nodes share one process")
            self.check_doors_kept(row, defined)

    def private_words(self, row):
        """Words of the room's own headers: what its files share may go without the prefix, what doors offer may not."""
        words = set()
        for path, code in self.code.items():
            if path.suffix == ".h" and path.parent == self.root / "src" / row.folder:
                words.update(re.findall(r"\w+", code))
        return words

    def check_doors_kept(self, row, defined):
        """What a door declares is there: a declaration without a definition is a promise nobody keeps."""
        for path in self.code:
            if path.parent.name != "focal" or self.door_owner(path.stem) != row.name:
                continue
            code = PLANTED_ONLY.sub(blank, self.code[path])
            code = re.sub(r"^\s*#(?:.*\\\n)*.*", blank, code, flags=re.M)
            code = re.sub(r"\bstatic\s+inline\b[^{;]*\{.*?\n\}", blank, code, flags=re.S)
            code = re.sub(r"\btypedef\b[^;]*;", blank, code)
            for match in re.finditer(r"(?<!\w)(focal_\w+)\s*\((?!\s*\*)", code):
                if match.group(1) not in defined:
                    number = code.count("\n", 0, match.start(1)) + 1
                    self.report(path, number, "doors", f"{match.group(1)} is declared, and defined nowhere in {row.name}")

    def check_planted(self):
        """Every planted bug is in the list and in the code, and no normal build can have one."""
        listed, used = {}, {}
        for path, code in self.code.items():
            parts = re.search(r"^#define FOCAL_PLANT_LIST\(X\)(?:.*\\\n)*.*", code, re.M)
            if parts:
                for match in re.finditer(r"\bX\((\w+)\s*,", parts.group(0)):
                    number = code.count("\n", 0, parts.start() + match.start()) + 1
                    if match.group(1) in listed:
                        self.report(path, number, "planted", f"{match.group(1)} stands in the list twice")
                    listed[match.group(1)] = (path, number)
            for number, match in self.lines(path, r"(?<!define )FOCAL_PLANTED\((\w+)\)"):
                used[match.group(1)] = (path, number)
            for number, match in self.lines(path, r"#\s*define\s+FOCAL_PLANT\b"):
                self.report(path, number, "planted", "FOCAL_PLANT is defined by the special build alone")
        for name in sorted(set(listed) ^ set(used)):
            path, number = listed.get(name) or used[name]
            self.report(path, number, "planted", f"{name} is " + ("planted nowhere" if name in listed else "not in the list"))

    def test_names(self):
        """What ctest knows, found as tests/CMakeLists.txt finds it: name -> source or None."""
        tests, names = self.root / "tests", {}
        for kind in TEST_KINDS:
            for path in list((tests / kind).glob("test_*.c")) + list((tests / kind).glob("*/test_*.c")):
                room = [path.parent.name] if path.parent.name != kind else []
                names["_".join([kind, *room, path.stem.removeprefix("test_")])] = path
        for path in list((tests / "system").glob("test_*.py")) + list((tests / "system").glob("test_*.sh")):
            names["system_" + path.stem.removeprefix("test_")] = path
        names.update((path.stem, path) for path in (tests / "fuzz").glob("fuzz_*.c"))
        cmake = tests / "CMakeLists.txt"
        text = re.sub(r"#.*", "", cmake.read_text()) if cmake.is_file() else ""
        lists = {var: words.split() for var, words in re.findall(r"\bforeach\((\w+) ([^()${}]+)\)", text)}
        found = re.findall(r"\badd_test\(NAME ([\w${}-]+)", text)
        while found:
            name = found.pop()
            variable = re.search(r"\$\{(\w+)\}", name)
            if not variable:
                names.setdefault(name, None)
            else:       # of a list of files: those were found above
                found += [name.replace(variable.group(0), word) for word in lists.get(variable.group(1), [])]
        return names

    def kinds_of(self, name):
        """What may stand in brackets behind the name of a test of the simulator, from its table of kinds."""
        for start, file in (("sim_malice", "malice.c"), ("sim_inject", "inject.c")):
            path = self.root / "tests/sim" / file
            if name.startswith(start) and path.is_file():
                return set(re.findall(r'\{ "([a-z-]+)"', path.read_text()))
        return None

    def check_threats(self):
        """Every test and file that src/THREATS.md names is there, so that no defence loses its test unseen."""
        path, names = self.root / "src/THREATS.md", self.test_names()
        rows = re.finditer(r"^\|(.*)\|(.*)\|(.*)\|$", path.read_text() if path.is_file() else "", re.M)
        for row in list(rows)[2:]:
            number = row.string.count("\n", 0, row.start()) + 1
            for file in re.findall(r"`([\w/]+\.[ch])`", row.group(2)):
                if not (self.root / "src" / file).is_file():
                    self.report(path, number, "threats", f"{file} is not there")
            tests = re.findall(r"`([^`]+)`(?:\s*\(([^)]*)\))?", row.group(3))
            if not tests and row.group(3).strip() != "–":
                self.report(path, number, "threats", "names no test; where there is none yet, it says –")
            for name, about in tests:
                self.check_threat_test(path, number, name, about, names)

    def check_threat_test(self, path, number, name, about, names):
        meant = [n for n in names if re.fullmatch(re.escape(name).replace(r"\*", r"[\w-]+"), n)]
        if not meant:
            self.report(path, number, "threats", f"there is no test {name}")
            return
        kinds = self.kinds_of(name)
        if kinds is not None:
            for word in filter(None, re.split(r",\s*|\s+and\s+", about)):
                if word not in kinds:
                    self.report(path, number, "threats", f"{name} has no kind {word}")
            return
        sources = [names[n].read_text() for n in meant if names[n]]
        for function in re.findall(r"`(\w+)`", about):
            if not any(re.search(rf"\b(?:def )?{function}\(", text) for text in sources):
                self.report(path, number, "threats", f"{name} has no {function}")

    def check_all(self):
        self.check_places()
        self.check_includes()
        self.check_calls()
        self.check_sizes()
        self.check_unfinished()
        self.check_symbols()
        self.check_planted()
        self.check_threats()
        return self.found


def main():
    parser = argparse.ArgumentParser(description="hold the source tree against the house rules")
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--libs", type=pathlib.Path)
    parser.add_argument("--instrumented", action="store_true", help="the libraries were built with sanitizers")
    args = parser.parse_args()
    house = House(args.root, args.libs, args.instrumented)
    found = house.check_all()
    for line in found:
        print(line)
    print(f"{len(house.code)} files, {len(house.rooms)} rooms, {len(found)} breaks of the rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
