#!/usr/bin/env python3
"""Hunts every planted bug of include/focal/base_plant.h: each must make one of its hunters fail.

    hunt.py --bin DIRECTORY [--only NAME] [--seeds N] [--jobs N]     the programs of the special build
    hunt.py --programs                                                   the names of the programs it needs

A hunter is a test program, or "sim": the simulator from seed 1 on, at most --seeds of them. Hunters are tried in the order
they stand here, and the first that fails has found the bug. Without a bug, each must pass on the same share. Ends with 1 if
a bug was not found or a hunter cried without one.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HUNTERS = {
    "LATE_VALUE_REVIVES": ["sim", "laws_merge_laws"],
    "REPLACED_MUST_BE_HELD": ["sim", "laws_merge_laws"],
    "REFERENCE_BY_ADDRESS": ["laws_merge_laws"],
    "SECOND_VERSION_LOST": ["sim", "laws_merge_laws"],
    "AGREEMENT_IS_CONFLICT": ["laws_merge_laws"],
    "VERSIONS_NEED_MEMORY": ["unit_merge_live"],
    "EVENTS_TAKEN_OFF": ["laws_merge_laws"],
    "LATER_DAY_FIRST": ["unit_merge_shown"],
    "NONCE_REUSED": ["vectors_noise"],
    "REKEY_SKIPPED": ["unit_crypto_channel"],
    "LENGTH_BELIEVED": ["unit_wire_stretch_refused"],
    "SEALED_WITHOUT_AUTHOR": ["unit_node_sealed", "unit_crypto_sealed"],
    "SEALED_TO_EACH_HIS_OWN": ["unit_crypto_sealed"],
    "SIGNATURE_UNCHECKED": ["unit_sync_hostile"],
    "CHAIN_UNCHECKED": ["unit_oplog_branches"],
    "AUTHOR_UNCHECKED": ["unit_oplog_admit"],
    "OPENING_UNCHECKED": ["unit_oplog_admit"],
    "STRIPPED_TAKEN": ["unit_oplog_admit"],
    "STATEMENT_UNSIGNED": ["unit_oplog_statements"],
    "RECEIPT_UNSIGNED": ["unit_oplog_receipts"],
    "BATCH_TAIL_LOST": ["sim"],
    "KIND_ROW_FORGOTTEN": ["sim"],
    "CONFLICT_ROW_STAYS": ["sim"],
    "FRONTIER_STALE": ["sim"],
    "HEAD_ROW_LATE": ["sim"],
    "SEED_USED_AGAIN": ["unit_oplog_salts"],
    "SEED_KEPT": ["unit_oplog_salts"],
    "BEYOND_CUT_COUNTS": ["laws_cut_laws", "sim"],
    "POLICY_UNHEEDED": ["unit_admin_two_persons"],
    "EXPIRED_BY_ONE_CLOCK": ["unit_node_expiry"],
    "EXPIRED_IS_GIVEN_ALL": ["unit_node_expiry"],
    "RENEWAL_KEY_FOR_EVER": ["unit_oplog_renewals"],
    "OLD_AUTHORITY_GOES_ON": ["unit_oplog_authority", "laws_authority_laws"],
    "CUT_LEAVES_DERIVED": ["laws_cut_laws", "sim"],
    "CUT_TIP_BY_NUMBER": ["laws_cut_laws"],
    "LOWER_CUT_COUNTS": ["laws_cut_laws", "sim_cuts"],
    "RIGHT_CUT_IGNORED": ["sim_cuts", "laws_cut_laws"],
    "VOID_STAYS_HIDDEN": ["sim_cuts", "laws_cut_laws"],
    "HOLE_SIGNED_FOR": ["unit_oplog_holes", "unit_sync_cuts"],
    "HOLE_STAYS": ["unit_oplog_cuts", "sim_cuts"],
    "WAITING_IS_SENT": ["unit_sync_cuts"],
    "HOLE_NOT_GIVEN_ON": ["sim_cuts"],
    "SCOPE_NOT_LEFT": ["sim"],
    "RIGHTS_JUDGED_ONCE": ["unit_sync_cuts", "sim"],
    "RECEIPT_AHEAD": ["unit_oplog_receipts"],
    "SECOND_BRANCH_DROPPED": ["sim", "unit_oplog_branches"],
    "FORK_STOPS_GROWING": ["sim", "unit_oplog_branches"],
    "FRONTIER_ONE_TIP": ["sim", "unit_oplog_branches"],
    "OLD_COPY_GOES_ON": ["unit_oplog_branches"],
    "REDACTION_SET_GROWS": ["unit_oplog_redact"],
    "REDACTION_JUDGED_ONCE": ["unit_oplog_redact"],
    "REDACTED_KIND_ROW_STAYS": ["sim", "unit_oplog_redact"],
    "REDACTED_LATE_TAKEN": ["sim", "unit_oplog_redact"],
    "SEED_REACHES_STRIPPED": ["unit_oplog_redact"],
    "HIDDEN_NEVER_ERASED": ["unit_oplog_redact"],
    "ANY_SCOPE_TOLD": ["unit_sync_hello"],
    "STAGED_ACKNOWLEDGED": ["unit_sync_flow"],
    "CREDIT_LOST": ["unit_sync_flow"],
    "RANGE_OFF_BY_ONE": ["sim"],
    "TIP_NOT_ANNOUNCED": ["unit_sync_flow", "sim"],
    "ACK_BEFORE_COMMIT": ["sim"],
    "SEALED_IN_CLEAR": ["sim", "unit_node_sealed"],
    "SEALED_TO_ALL": ["sim", "unit_node_sealed"],
    "SEALED_COPIED": ["unit_node_sealed_redact"],
    "COPY_NOT_FOLLOWED": ["unit_node_follow"],
    "FAILED_STEP_SPEAKS": ["unit_node_step"],
    "MEMORY_NOT_ROLLED_BACK": ["unit_node_step"],
    "BACK_OFF_STAYS": ["unit_node_links"],
    "PAUSE_FORGOTTEN": ["unit_node_links"],
    "ROW_TAKES_ALL": ["unit_admin_commands"],
    "ONE_VERSION_SETTLED": ["unit_node_step"],
    "RIGHTS_ARE_A_LADDER": ["unit_admin_rights"],
    "HISTORY_NAMES_RECORDS": ["unit_admin_rights"],
    "NOTED_AFTERWARDS": ["unit_admin_noting"],
    "CHANGE_WITHOUT_NOTE": ["unit_admin_noting"],
    "ONE_PERSON_IS_TWO": ["unit_admin_two_persons"],
    "MODE_UNCHECKED": ["unit_io_file"],
    "SCRUB_LEFT_OUT": ["unit_node_redact", "sim"],
    "FENCE_BEFORE_COMMIT": ["unit_store_fence"],
    "COMMIT_FAILS_SILENTLY": ["unit_store_faults"],
    "FSYNC_TRIED_AGAIN": ["unit_store_faults"],
    "TORN_FIRST_PAGE_REFUSED": ["unit_store_seal"],
    "PAGE_AT_ANY_PLACE": ["unit_store_seal"],
    "PAGE_NONCE_REUSED": ["unit_store_seal"],
    "FSYNC_LEFT_OUT": ["unit_store_faults"],
}

PLANTS_LEAST = 25
QUIET_SEEDS_LEAST = 40      # without a bug: as many seeds as any bug took, and not fewer than this
HUNTER_SECONDS_MAX = 420


def programs():
    """The test programs that hunters are, the simulator among them."""
    return sorted({"focal_sim" if h == "sim" else h for hunters in HUNTERS.values() for h in hunters})


def listed(root):
    """The names in the list of planted bugs, and what each is."""
    text = (root / "include/focal/base_plant.h").read_text()
    return dict(re.findall(r'\bX\((\w+),\s*"([^"]*)"\)', text))


def run(args, name, hunter, seeds):
    """(failed?, what it said last) of one hunter with one bug, or without any (name "")."""
    program = args.bin / ("focal_sim" if hunter == "sim" else hunter)
    command = [str(program)] + (["--from", "1", "--count", str(seeds)] if hunter == "sim" else [])
    environment = dict(os.environ, FOCAL_PLANT=name)
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(command, cwd=place, env=environment, timeout=HUNTER_SECONDS_MAX,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    said = (done.stdout + done.stderr).strip().split("\n")
    if done.returncode == 2 and any("FOCAL_PLANT" in line for line in said):
        raise RuntimeError(f"{program} does not know the bug {name}: build again")
    return done.returncode != 0, said


def where(hunter, said):
    """Which seed or which test found it, and the seed's number for the simulator."""
    text = "\n".join(said)
    if hunter == "sim":
        seed = re.search(r"focal_sim --seed (\d+)", text) or re.search(r"seed (\d+)", text)
        return (f"seed {seed.group(1)}", int(seed.group(1))) if seed else ("an assertion", 0)
    failed = re.findall(r"\[  FAILED  \] (\w+)$", text, re.M)
    return failed[-1] if failed else "an assertion", 0


def hunt(args, name):
    """(found?, a line for the report, seeds that the simulator needed)."""
    started = time.monotonic()
    for hunter in HUNTERS[name]:
        try:
            failed, said = run(args, name, hunter, args.seeds)
        except subprocess.TimeoutExpired:
            continue
        if failed:
            place, seeds = where(hunter, said)
            return True, f"{name:24} {hunter}: {place} ({time.monotonic() - started:.1f} s)", seeds
    return False, f"{name:24} NOT FOUND by {', '.join(HUNTERS[name])}", 0


def quiet(args, hunter, seeds):
    """A hunter without a bug: a line only if it cried."""
    failed, said = run(args, "", hunter, seeds)
    return f"{hunter} fails without a planted bug: {said[-1]}" if failed else None


def main():
    parser = argparse.ArgumentParser(description="hunt every planted bug")
    parser.add_argument("--bin", type=pathlib.Path, help="where the test programs of the special build are")
    parser.add_argument("--only", action="append", help="only this bug (may be given several times)")
    parser.add_argument("--seeds", type=int, default=2000, help="seeds that a bug may take")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--programs", action="store_true", help="only name the programs needed")
    args = parser.parse_args()
    if args.programs:
        print(";".join(programs()))
        return 0
    plants = listed(pathlib.Path(__file__).resolve().parents[2])
    wrong = [f"{name} is planted and nobody hunts it" for name in plants if name not in HUNTERS]
    wrong += [f"{name} is hunted and not in the list" for name in HUNTERS if name not in plants]
    wrong += [f"{p} is not in {args.bin}" for p in programs() if not (args.bin / p).is_file()]
    if len(plants) < PLANTS_LEAST:
        wrong.append(f"{len(plants)} planted bugs, fewer than {PLANTS_LEAST}")
    wanted = args.only or list(plants)
    wrong += [f"no bug is called {name}" for name in wanted if name not in plants]
    if wrong:
        print("\n".join(wrong))
        return 1
    args.bin = args.bin.resolve()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = []
        for result in pool.map(lambda name: hunt(args, name), wanted):
            print(result[1], flush=True)
            results.append(result)
        seeds = max([QUIET_SEEDS_LEAST] + [r[2] for r in results])
        hunters = sorted({h for name in wanted for h in HUNTERS[name]}, key=lambda h: h != "sim")
        cries = [line for line in pool.map(lambda h: quiet(args, h, seeds), hunters) if line]
    print("\n".join(cries + [f"without a bug: {len(hunters)} hunters, {seeds} seeds, {len(cries)} false alarms"]))
    found = sum(r[0] for r in results)
    print(f"{found} of {len(results)} planted bugs found")
    return 0 if found == len(results) and not cries else 1


if __name__ == "__main__":
    sys.exit(main())
