#!/usr/bin/env python3
"""Branch coverage of rooms, from what gcov counted, assertion branches not counted.

    coverage.py --build DIRECTORY [--rooms A,B] [--missing] [--least PERCENT] [--clear]

A branch is one way out of a condition, as gcc sees it without optimisation. Lines of focal_assert and focal_unreachable are
left out: their other way is our own bug and ends the program. Branches only taken without memory are not left out: the
allocation sweeps must reach them. --missing shows each line with a way never taken; --clear forgets earlier runs.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = "model merge oplog sync wire"
ASSERTION = re.compile(r"\bfocal_(?:assert|unreachable)\s*\(")


def assertion_lines(path):
    """The numbers of all lines of a file that an assertion stands on, also one of several lines."""
    lines, depth = set(), 0
    for number, line in enumerate(path.read_text().split("\n"), 1):
        start = 0
        if depth == 0:
            match = ASSERTION.search(line)
            if not match:
                continue
            start = match.end() - 1
        lines.add(number)
        for letter in line[start:]:
            depth += (letter == "(") - (letter == ")")
            if depth == 0:
                break
    return lines


class File:
    def __init__(self, path):
        self.path = path
        self.branches = {}              # line -> how often each way was taken
        self.lines = {}                 # line -> how often it ran
        self.left_out = assertion_lines(path)

    def add(self, line):
        number = line["line_number"]
        self.lines[number] = self.lines.get(number, 0) + line["count"]
        if number in self.left_out or not line["branches"]:
            return
        counts = [b["count"] for b in line["branches"] if not b["throw"]]
        held = self.branches.get(number)
        # An inline function is compiled with every file that includes it: the same ways, more often.
        if held and len(held) == len(counts):
            counts = [a + b for a, b in zip(held, counts)]
        elif held and len(held) > len(counts):
            counts = held
        self.branches[number] = counts

    def ways(self):
        return sum(len(c) for c in self.branches.values())

    def taken(self):
        return sum(sum(n > 0 for n in c) for c in self.branches.values())


def read(build, room):
    """The files of a room by path, with what gcov says of them."""
    folder = ROOT / "src" / room
    files = {}
    objects = build / f"src/CMakeFiles/focal_{room}.dir"
    notes = sorted(objects.rglob("*.gcno"))
    if not notes:
        raise SystemExit(f"{objects} holds nothing that gcov can read: build the preset coverage first")
    made = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *map(str, notes)],
                          cwd=build, capture_output=True, text=True, check=True)
    for text in made.stdout.split("\n"):
        if not text.strip():
            continue
        about = json.loads(text)
        for one in about["files"]:
            path = (pathlib.Path(about["current_working_directory"]) / one["file"]).resolve()
            if path.parent != folder:
                continue
            file = files.setdefault(path, File(path))
            for line in one["lines"]:
                file.add(line)
    return files


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def show_missing(file):
    text = file.path.read_text().split("\n")
    for number, counts in sorted(file.branches.items()):
        never = [str(i) for i, n in enumerate(counts) if n == 0]
        if never:
            ran = file.lines.get(number, 0)
            print(f"    {number:4} {'never run' if not ran else 'way ' + ','.join(never):12} {text[number - 1].strip()[:110]}")


def main():
    parser = argparse.ArgumentParser(description="branch coverage of rooms")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--rooms", default=ROOMS.replace(" ", ","))
    parser.add_argument("--missing", action="store_true", help="show each line with a way never taken")
    parser.add_argument("--least", type=float, default=0, help="fail when a room has less")
    parser.add_argument("--clear", action="store_true", help="forget what earlier runs counted, and do nothing else")
    args = parser.parse_args()
    if args.clear:
        for path in args.build.rglob("*.gcda"):
            path.unlink()
        return 0
    low, all_ways, all_taken, rows = [], 0, 0, []
    for room in args.rooms.split(","):
        files = read(args.build.resolve(), room)
        ways, taken = sum(f.ways() for f in files.values()), sum(f.taken() for f in files.values())
        ran, lines = sum(n > 0 for f in files.values() for n in f.lines.values()), sum(len(f.lines) for f in files.values())
        rows.append(f"{room:8} {len(files):6} {ways:9} {taken:7} {percent(taken, ways):8.1f} %  {percent(ran, lines):8.1f} %")
        all_ways, all_taken = all_ways + ways, all_taken + taken
        if percent(taken, ways) < args.least:
            low.append(room)
        for path, file in sorted(files.items()):
            if file.taken() < file.ways():
                print(f"  {path.relative_to(ROOT)}: {file.ways() - file.taken()} of {file.ways()} ways never taken "
                      f"({percent(file.taken(), file.ways()):.1f} %)")
                if args.missing:
                    show_missing(file)
    print("room      files      ways   taken   branches       lines")
    print("\n".join(rows))
    print(f"all {'':11} {all_ways:9} {all_taken:7} {percent(all_taken, all_ways):8.1f} %")
    if low:
        print(f"below {args.least} %: {', '.join(low)}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
