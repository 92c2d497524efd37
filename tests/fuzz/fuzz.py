#!/usr/bin/env python3
"""Every decoder under libFuzzer, two at a time, with a table of executions and findings at the end.

    fuzz.py --programs DIRECTORY --minutes N [--enough N] [--only NAME ...] [--jobs 2] [--corpus DIRECTORY]

The minutes are shared fairly: the next visit is for the decoder that has had the least time. With --enough a decoder that has
as many executions gives its time to the others. One that fell down is not visited again; its input is kept, and a line says how
to replay it. Ends with 1 when there was a finding. Stopped by hand, it prints its table all the same.
"""
import argparse
import concurrent.futures
import pathlib
import signal
import subprocess
import sys
import threading
import time

import libfuzzer

VISIT_SECONDS_LEAST, VISIT_SECONDS_MOST, VISITS_WANTED = 2, 60, 4
GRACE_SECONDS = 60                  # beyond its time a visit is over by force


class Decoder:
    def __init__(self, program):
        self.program, self.name = program, libfuzzer.name_of(program)
        self.executions, self.spent, self.away, self.found = 0, 0.0, False, None


class Fuzz:
    def __init__(self, args, decoders):
        self.args, self.decoders = args, decoders
        self.lock, self.children, self.stopped = threading.Lock(), set(), False
        self.started = time.monotonic()
        self.end = self.started + 60 * args.minutes
        share = 60 * args.minutes * args.jobs / len(decoders)
        self.visit_seconds = min(VISIT_SECONDS_MOST, max(VISIT_SECONDS_LEAST, share / VISITS_WANTED))

    def pick(self):
        """(decoder, seconds), or None when there is nothing more to do for this worker."""
        with self.lock:
            seconds = min(self.visit_seconds, self.end - time.monotonic())
            due = [d for d in self.decoders if not d.away and not d.found
                   and (not self.args.enough or d.executions < self.args.enough)]
            if self.stopped or seconds < 1 or not due:
                return None
            decoder = min(due, key=lambda d: d.spent)
            decoder.away = True
            return decoder, int(seconds)

    def end_of(self, child, seconds):
        """(what it said, "" or that it would not end). On a busy machine reading the corpus alone can take long: it is asked to
        end before it is made to, and one that does has found nothing."""
        for way in (child.send_signal, None):
            try:
                return child.communicate(timeout=seconds + GRACE_SECONDS)[0], ""
            except subprocess.TimeoutExpired:
                if way:
                    way(signal.SIGINT)
        child.kill()
        return child.communicate()[0], f"did not end within {2 * (seconds + GRACE_SECONDS)} s"

    def visit(self, decoder, seconds):
        begun = time.monotonic()
        command = libfuzzer.command(decoder.program, self.args.corpus, f"-max_total_time={seconds}")
        with self.lock:
            if self.stopped:
                return
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                     errors="replace")
            self.children.add(child)
        said, over = self.end_of(child, seconds)
        with self.lock:
            self.children.discard(child)
            decoder.away = False
            decoder.spent += time.monotonic() - begun
            decoder.executions += libfuzzer.executions(said)
            interrupted = "run interrupted" in said and not over
            if child.returncode != 0 and not self.stopped and not interrupted:
                why, kept = libfuzzer.finding(said)
                decoder.found = (over or why, kept)
                print(f"fuzz: {decoder.name}: {decoder.found[0]}", flush=True)

    def work(self):
        while True:
            picked = self.pick()
            if not picked:
                return
            self.visit(*picked)

    def stop(self, *_):
        """By hand: what runs is told to end, and says its numbers."""
        self.stopped = True
        for child in list(self.children):
            child.send_signal(signal.SIGINT)

    def print(self):
        print(f"{'decoder':12} {'executions':>12} {'seconds':>8} {'a second':>9}  findings")
        for d in self.decoders:
            print(f"{d.name:12} {d.executions:>12} {d.spent:>8.0f} {d.executions / (d.spent or 1):>9.0f}  {1 if d.found else 0}")
        found = [d for d in self.decoders if d.found]
        total, minutes = sum(d.executions for d in self.decoders), (time.monotonic() - self.started) / 60
        print(f"{total} executions of {len(self.decoders)} decoders in {minutes:.1f} minutes, {len(found)} findings")
        for d in found:
            print(f"{d.name}: {d.found[0]}")
            print(f"  replay: {d.program} {d.found[1]}" if d.found[1] else "  no input was kept")
        untried = [d.name for d in self.decoders if not d.executions and not d.found]
        if untried:
            print("never run: " + ", ".join(untried))
        return 1 if found or untried else 0

    def run(self):
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            for future in [pool.submit(self.work) for _ in range(self.args.jobs)]:
                future.result()
        return self.print()


def main():
    parser = argparse.ArgumentParser(description="every decoder under libFuzzer")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where libFuzzer's programs are")
    parser.add_argument("--corpus", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent / "corpus")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--enough", type=int, default=0, help="executions after which a decoder gives its time to the others")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these decoders alone")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    if args.minutes <= 0 or args.jobs < 1:
        parser.error("--minutes and --jobs want a number above 0")
    decoders = [Decoder(p) for p in libfuzzer.decoders(args.programs)]
    unknown = set(args.only or ()) - {d.name for d in decoders}
    if unknown or not decoders:
        parser.error(f"no such decoder in {args.programs}: {', '.join(sorted(unknown)) or 'none is built'}")
    fuzz = Fuzz(args, [d for d in decoders if not args.only or d.name in args.only])
    signal.signal(signal.SIGINT, fuzz.stop)
    signal.signal(signal.SIGTERM, fuzz.stop)
    return fuzz.run()


if __name__ == "__main__":
    sys.exit(main())
