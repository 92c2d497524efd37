"""How libFuzzer's programs are called and what they say: for fuzz.py and for the soak."""
import os
import pathlib
import re

PREFIX = "libfuzzer_"


def decoders(directory):
    """Its programs there, in order."""
    return sorted(p for p in directory.glob(PREFIX + "*") if p.is_file() and os.access(p, os.X_OK))


def name_of(decoder):
    return decoder.name.removeprefix(PREFIX)


def command(decoder, corpus, limit):
    """One visit. What reaches new code is kept beside the program, so that the next visit goes on from there."""
    found = decoder.with_name(decoder.name + ".found")
    found.mkdir(exist_ok=True)
    kept = corpus / name_of(decoder)
    return [str(decoder), limit, "-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-print_final_stats=1",
            f"-artifact_prefix={found}/", str(found)] + ([str(kept)] if kept.is_dir() else [])


def executions(said):
    number = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    return int(number.group(1)) if number else 0


def finding(said):
    """(why, the input that shows it or None) of a visit that fell down."""
    lines = [line for line in said.strip().split("\n") if "ERROR" in line or "broken" in line or "Assertion" in line]
    why = (lines or said.strip().split("\n"))[0 if lines else -1].strip()
    kept = re.search(r"Test unit written to (.+)", said)
    return why, pathlib.Path(kept.group(1).strip()) if kept else None
