#!/usr/bin/env python3
"""Goes on where the tests stop: fresh seeds in the simulator, power cuts, and every fuzzer, on all cores, with totals.

    soak.py --bin DIRECTORY [--fuzz DIRECTORY] [--corpus DIRECTORY] --minutes N
    soak.py --bin DIRECTORY [--fuzz DIRECTORY] [--corpus DIRECTORY] [--seeds N] [--cuts N] [--executions N]

--minutes shares the time among them; the others stop at a number each: seeds, power cuts, executions of each decoder.
--from N starts at that seed, as an earlier run printed it; without it the clock gives one. Ends with 1 if anything was lost,
divergent, corrupt, unopenable, or fell down. What is not built (focal_power, the fuzzers) is said and left out.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fuzz"))
import libfuzzer

SIM_BATCH, POWER_BATCH = 40, 40             # lives a run of the program: seconds each
FUZZ_SECONDS_LEAST, FUZZ_SECONDS_MOST = 2, 20       # one visit to a decoder
FUZZ_BATCH = 200000
VISIT_SECONDS_MAX = 900
WEIGHTS = {"sim": 4, "power": 3, "fuzz": 2}

# What a failing life says, and what it counts as; the first that fits. What fits none fell down in a way of its own.
KINDS = [
    ("unopenable", r"not open|unopenable|cannot be opened"),
    ("divergent", r"differ|become equal|two runs"),
    ("lost", r"missing|lost|not kept|acknowledged|went back|are gone"),
    ("corrupt", r"verify|corrupt|damaged|derived state|cannot be read"),
]


class Totals:
    def __init__(self):
        self.lock = threading.Lock()
        self.seeds = self.lives = self.cuts = 0
        self.executions = {}
        self.faults = {"lost": 0, "divergent": 0, "corrupt": 0, "unopenable": 0, "other": 0}

    def fault(self, said):
        kind = next((name for name, pattern in KINDS if re.search(pattern, said)), "other")
        self.faults[kind] += 1
        print(f"soak: {kind}: {said}", flush=True)

    def print(self, started, first):
        minutes = (time.monotonic() - started) / 60
        print(f"{self.seeds} seeds from {first}, {self.cuts} power cuts in {self.lives} lives, {minutes:.1f} minutes")
        for name, count in sorted(self.executions.items()):
            print(f"  fuzz {name:12} {count:>12} executions")
        print(", ".join(f"{count} {name}" for name, count in self.faults.items()))


class Soak:
    def __init__(self, args):
        self.args, self.totals = args, Totals()
        self.first = args.first if args.first is not None else int(time.time()) * 1000000
        self.next = {"sim": self.first, "power": self.first}
        self.spent = dict.fromkeys(WEIGHTS, 0.0)
        self.asked = {"sim": 0, "fuzz": {}}
        self.decoders = libfuzzer.decoders(args.fuzz) if args.fuzz else []
        self.turn = 0
        # So that even a short soak comes to every decoder.
        share = 60 * args.minutes * args.jobs * WEIGHTS["fuzz"] / sum(WEIGHTS.values()) / (len(self.decoders) or 1)
        self.visit_seconds = int(min(FUZZ_SECONDS_MOST, max(FUZZ_SECONDS_LEAST, share)))
        self.started = time.monotonic()
        self.end = self.started + 60 * args.minutes if args.minutes else None
        self.have = {"sim": (args.bin / "focal_sim").is_file(), "power": (args.bin / "focal_power").is_file(),
                     "fuzz": bool(self.decoders)}

    # ---- what to do next; called with the lock held ----

    def due(self, kind):
        if not self.have[kind]:
            return False
        if self.end:
            return time.monotonic() < self.end
        if kind == "sim":
            return self.asked["sim"] < self.args.seeds
        if kind == "power":
            return self.totals.cuts < self.args.cuts
        return any(self.asked["fuzz"].get(d.name, 0) < self.args.executions for d in self.decoders)

    def pick(self):
        """(kind, what) of the kind that has had least of its share, or None."""
        kinds = [k for k in WEIGHTS if self.due(k)]
        if not kinds:
            return None
        kind = min(kinds, key=lambda k: self.spent[k] / WEIGHTS[k])
        self.spent[kind] += 1e-3        # so that two workers do not both find the same one
        if kind == "fuzz":
            for _ in self.decoders:
                decoder = self.decoders[self.turn % len(self.decoders)]
                self.turn += 1
                if self.end or self.asked["fuzz"].get(decoder.name, 0) < self.args.executions:
                    break
            runs = FUZZ_BATCH if self.end else min(FUZZ_BATCH, self.args.executions - self.asked["fuzz"].get(decoder.name, 0))
            self.asked["fuzz"][decoder.name] = self.asked["fuzz"].get(decoder.name, 0) + runs
            return kind, (decoder, runs)
        batch = SIM_BATCH if kind == "sim" else POWER_BATCH
        if kind == "sim" and not self.end:
            batch = min(batch, self.args.seeds - self.asked["sim"])
            self.asked["sim"] += batch
        first = self.next[kind]
        self.next[kind] += batch
        return kind, (first, batch)

    # ---- doing it ----

    def command(self, kind, what):
        if kind != "fuzz":
            program = self.args.bin / ("focal_sim" if kind == "sim" else "focal_power")
            return [str(program), "--from", str(what[0]), "--count", str(what[1])]
        decoder, runs = what
        limit = f"-runs={runs}"
        if self.end:
            limit = f"-max_total_time={max(1, min(self.visit_seconds, int(self.end - time.monotonic())))}"
        return libfuzzer.command(decoder, self.args.corpus, limit)

    def count(self, kind, what, said, failed):
        """Adds what a run said to the totals; gives where lives go on after one that failed, or None."""
        t = self.totals
        if kind == "fuzz":
            name = libfuzzer.name_of(what[0])
            t.executions[name] = t.executions.get(name, 0) + libfuzzer.executions(said)
            return None
        number = re.search(r"--seed (\d+)", said) or re.search(r"seed (\d+)", said)
        done = int(number.group(1)) - what[0] + 1 if failed and number else what[1]
        if kind == "sim":
            t.seeds += done
        else:
            t.lives += done
            cuts = re.search(r"(\d+) power cuts", said)
            t.cuts += int(cuts.group(1)) if cuts else 0
        return what[0] + done if failed and number and done < what[1] else None

    def visit(self, kind, what):
        while True:
            begun = time.monotonic()
            command = self.command(kind, what)
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                      timeout=VISIT_SECONDS_MAX)
                said, failed = done.stdout + done.stderr, done.returncode != 0
            except subprocess.TimeoutExpired:
                said, failed = f"over {VISIT_SECONDS_MAX} s: {' '.join(command)}", True
            with self.totals.lock:
                self.spent[kind] += time.monotonic() - begun
                go_on = self.count(kind, what, said, failed)
                if failed:
                    lines = [line for line in said.strip().split("\n") if "see it again" in line or "ERROR" in line or "broken" in line]
                    text = (lines or said.strip().split("\n"))[-1 if not lines else 0]
                    self.totals.fault(text if kind != "fuzz" else f"{what[0].name} fell down: {text}")
            if go_on is None:
                return
            what = (go_on, what[0] + what[1] - go_on)

    def work(self):
        while True:
            with self.totals.lock:
                picked = self.pick()
            if not picked:
                return
            self.visit(*picked)

    def run(self):
        print(f"soak: seeds from {self.first} (again: --from {self.first}), {self.args.jobs} at once", flush=True)
        for kind, have in self.have.items():
            if not have:
                print(f"soak: {kind} is not built and is left out", flush=True)
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            for future in [pool.submit(self.work) for _ in range(self.args.jobs)]:
                future.result()
        self.totals.print(self.started, self.first)
        done = self.totals.seeds + self.totals.cuts + sum(self.totals.executions.values())
        if not done:
            print("soak: nothing was done")
        return 1 if any(self.totals.faults.values()) or not done else 0


def main():
    parser = argparse.ArgumentParser(description="fresh seeds, power cuts and fuzzing, with totals")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="where focal_sim and focal_power are")
    parser.add_argument("--fuzz", type=pathlib.Path, help="where the programs of libFuzzer are")
    parser.add_argument("--corpus", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1] / "fuzz/corpus")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--executions", type=int, default=0)
    parser.add_argument("--from", type=int, dest="first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    limits = args.seeds + args.cuts + args.executions
    if (args.minutes > 0) == (limits > 0):
        parser.error("give --minutes, or numbers of --seeds, --cuts and --executions")
    return Soak(args).run()


if __name__ == "__main__":
    sys.exit(main())
