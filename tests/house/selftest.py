#!/usr/bin/env python3
"""Each check of house.py can fail: a small clean house has no breaks, and each planted one is found, and only it.

    selftest.py --cc COMPILER
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import house

TABLE = """
function(room name)
endfunction()
# room(ghost) stands only in a comment
room(base)
room(merge    USES base)
room(store    USES base LINKS PkgConfig::SQLITE)
room(oplog    USES merge base)
room(io       USES base LINKS PkgConfig::UV Threads::Threads)
program(focald FOLDER daemon USES io store LINKS PkgConfig::JANSSON)
"""

CLEAN = {
    "src/CMakeLists.txt": TABLE,
    "include/focal/base.h": "#include <stdint.h>\n#define focal_macro(x) \\\n    focal_unmade(x)\n"
                            "int focal_base_one(int x); /* not focal_said_only(here) */\n",
    "include/focal/merge.h": '#include "focal/base.h"\nstruct focal_m { int (*call)(int); };\nint *focal_merge_two(void);\n',
    "include/focal/store.h": '#include "focal/base.h"\n',
    "include/focal/store_sqlite.h": '#include "focal/store.h"\n',
    "src/base/one.c": '#include "focal/base.h"\n#include <stdlib.h>\nstatic int hook;\nint focal_base_one(int x)\n{\n'
                      "    free(malloc(1));\n    return hook += x;\n}\n",
    "src/merge/two.c": '#include "focal/merge.h"\n#include "two.h"\n#include <string.h>\n'
                       "static const char *const words[] = { \"time(now)\", \"'malloc(1)\" };\n"
                       "struct thing { int (*time)(int); };\n"
                       "/* malloc(1), time(0) and <sqlite3.h> in a comment */\n"
                       "int *focal_merge_two(void)\n{\n    struct thing t = { 0 };\n"
                       "    return words[0] == 0 && t.time(0) ? 0 : (int *)0;\n}\n",
    "src/merge/two.h": "#define TWO 2\n",
    "src/oplog/log.c": '#include "focal/store.h"\n#include "focal/merge.h"\nint focal_oplog_x(void);\n'
                       "int focal_oplog_x(void)\n{\n    return 0;\n}\n",
    "src/store/db.c": '#include "focal/store_sqlite.h"\n#include <sqlite3.h>\nint focal_store_x(void);\n'
                      "int focal_store_x(void)\n{\n    return 0;\n}\n",
    "src/io/clock.c": "#include <time.h>\n#include <uv.h>\n#include <unistd.h>\nlong focal_io_x(void);\n"
                      "long focal_io_x(void)\n{\n    return (long)time(0);\n}\n",
    "src/daemon/main.c": "#include <jansson.h>\nint main(void)\n{\n    return 0;\n}\n",
    "src/THREATS.md": "# Attacks\n\n| attack | defence | test |\n|---|---|---|\n"
                      "| flood | bounds (`merge/two.c`) | `unit_x`, `unit_merge_two` (`grows`), `fuzz_*`, `system_cli` (a remark) |\n"
                      "| replay | nonces | `sim_malice` (replay, lie-low), `sim_inject_*` (twin), `sim_inject_pair_twin`, `power_cuts` |\n"
                      "| to come | nothing yet | – |\n",
    "tests/CMakeLists.txt": "foreach(who pair three)\n  foreach(what twin)\n    add_test(NAME sim_inject_${who}_${what} COMMAND s)\n"
                            "  endforeach()\nendforeach()\nadd_test(NAME power_cuts COMMAND p)\nadd_test(NAME ${name} COMMAND x)\n",
    "tests/sim/malice.c": 'static const struct k kinds[] = {\n    [A] = { "replay", 1 },\n    [B] = { "lie-low", 1 },\n};\n',
    "tests/sim/inject.c": 'static const struct k kinds[] = {\n    { "twin", 0 },\n};\n',
    "tests/sim/test_malice.c": "int main(void)\n{\n    return 0;\n}\n",
    "tests/unit/merge/test_two.c": "static void grows(void **state)\n{\n    (void)state;\n}\n",
    "tests/fuzz/fuzz_base.c": "int x;\n",
    "tests/system/test_cli.py": "def main():\n    pass\n",
    "tests/unit/test_x.c": "int main(void)\n{\n    return 0;\n}\n",
}

# Stand-ins, because nothing here is linked with the real ones.
HEADERS = ["sqlite3.h", "uv.h", "jansson.h", "sodium.h"]

FUNCTION = "int focal_merge_two(void)\n{{\n{}}}\n"

# (rule, file, text): the text is put at the end of the file, and exactly one break, of that rule, must be found.
PLANTS = [
    ("places", "src/attic/old.c", ""),
    ("places", "src/merge/deeper/old.c", ""),
    ("places", "src/loose.c", ""),
    ("places", "src/ghost/ghost.c", ""),
    ("places", "include/focal/attic.h", ""),
    ("places", "src/merge/unused.h", ""),
    ("includes", "src/base/one.c", '#include "focal/merge.h"\n'),
    ("includes", "src/merge/two.c", '#include "focal/store.h"\n'),
    ("includes", "src/oplog/log.c", '#include "focal/store_sqlite.h"\n'),
    ("includes", "src/merge/two.c", '#include "focal/nowhere.h"\n'),
    ("includes", "src/merge/two.c", '#include "../base/one.c"\n'),
    ("includes", "src/merge/two.c", '#  include "one.h"\n'),
    ("includes", "src/merge/two.c", "#include <focal/base.h>\n"),
    ("includes", "src/merge/two.c", "#include SOMETHING\n"),
    ("includes", "include/focal/base.h", '#include "focal/merge.h"\n'),
    ("includes", "include/focal/store.h", "#include <sqlite3.h>\n"),
    ("includes", "include/focal/merge.h", '#include "two.h"\n'),
    ("includes", "src/merge/two.c", "#include <unistd.h>\n"),
    ("includes", "src/merge/two.c", "#include <sys/socket.h>\n"),
] + [
    ("includes", "src/merge/two.c", f"#include <{h}>\n")
    for h in ("uv.h", "nng/nng.h", "sqlite3.h", "sodium.h", "sodium/crypto_box.h", "jansson.h", "zstd.h", "ini.h",
              "libsmartcols/libsmartcols.h", "pthread.h", "math.h")
] + [
    ("calls", "src/merge/two.c", f"#define NOW {call}\n")
    for call in ("time(0)", "clock_gettime(0, 0)", "gettimeofday (0, 0)", "uv_now(l)", "uv_hrtime()", "rand()", "random()",
                 "randombytes_buf(b, 1)", "crypto_sign_keypair(p, s)", "crypto_box_seal(c)", "crypto_secretbox_keygen(k)",
                 "sqlite3_randomness(1, b)", "getrandom(b, 1, 0)", "arc4random_uniform(2)")
] + [
    ("heap", "src/store/db.c", f"#define MORE {call}\n")
    for call in ("malloc(1)", "calloc(1, 1)", "realloc(p, 1)", "free(p)", "strdup(s)", "asprintf(&s, f)")
] + [
    ("heap", "src/daemon/main.c", "#define MORE malloc(1)\n"),
    ("sizes", "src/merge/two.c", "\n" * house.FILE_LINES_MAX),
    ("sizes", "tests/unit/test_x.c", "\n" * house.FILE_LINES_MAX),
    ("sizes", "src/merge/two.h", "\n" * house.FILE_LINES_MAX),
    ("sizes", "tests/unit/test_x.c", "static int f(void)\n{\n" + ";\n" * (house.FUNCTION_LINES_MAX - 1) + "}\n"),
    ("sizes", "src/daemon/main.c", "static int f(void) {\n" + ";\n" * (house.FUNCTION_LINES_MAX - 1) + "}\n"),
    ("unfinished", "src/merge/two.c", "/* TO" "DO: later */\n"),
    ("unfinished", "tests/unit/test_x.c", "/* FIX" "ME */\n"),
    ("symbols", "src/merge/two.c", "int merge_wrong(void) { return 1; }\n"),
    ("symbols", "src/merge/two.c", "const int wrong = 3;\n"),
    ("state", "src/merge/two.c", "static int calls; int focal_merge_count(void) { return ++calls; }\n"),
    ("state", "src/merge/two.c", "int focal_shared = 4;\n"),
    ("state", "src/io/clock.c", "int focal_io_count(void) { static int hook = 2; return ++hook; }\n"),
    ("planted", "src/merge/two.c", "#define USED FOCAL_PLANTED(UNLISTED)\n"),
    ("planted", "include/focal/base.h", '#define FOCAL_PLANT_LIST(X) \\\n    X(UNUSED, "never planted")\n'),
    ("planted", "include/focal/base.h", '#define FOCAL_PLANT_LIST(X) X(A, "") X(A, "")\n#define USED FOCAL_PLANTED(A)\n'),
    ("planted", "src/merge/two.c", "#define FOCAL_PLANT 1\n"),
    ("planted", "src/base/one.c", "int focal_plant_is(int x) { return x; }\n"),
    ("doors", "include/focal/merge.h", "#ifndef FOCAL_PLANT\nvoid focal_merge_promised(int);\n#endif\n"),
    ("doors", "include/focal/merge.h", "void\nfocal_merge_promised(int);\n"),
] + [
    ("threats", "src/THREATS.md", f"| one more | {defence} | {test} |\n")
    for defence, test in (("", "`unit_renamed`"), ("", "`unit_two`"), ("", "`fuzz_pages`"), ("", "`system_demo`"), ("", "`sim_seeds_*`"),
                          ("", "`sim_inject_pair_clone`"), ("", "`sim_malice` (flood)"), ("", "`sim_malice` (replay and shrink)"),
                          ("", "`sim_inject_*` (clone)"), ("", "`unit_merge_two` (`shrinks`)"), ("", "`focal_sim`"), ("", "a good test"),
                          ("", ""), ("see `merge/three.c`", "`unit_x`"))
]

# Near misses, which must not be found.
PASSES = [
    ("include/focal/base.h", '#define FOCAL_PLANT_LIST(X) X(A, "") \\\n    X(B, "")\n#define USED FOCAL_PLANTED(A) + FOCAL_PLANTED(B)\n'
                             "#ifdef FOCAL_PLANT\nint focal_plant_is(int);\n#define FOCAL_PLANTED(x) focal_plant_is(x)\n#endif\n"),
    ("src/merge/two.c", "#define SEEDED crypto_sign_seed_keypair(p, s, x) + crypto_box_seal_open(c) + my_time(0) + free_all(0)\n"),
    ("src/merge/two.c", "static int f(void)\n{\n" + ";\n" * (house.FUNCTION_LINES_MAX - 2) + "}\nint focal_f(void) { return f(); }\n"),
    ("src/daemon/main.c", '#include "focal/store.h"\n'),
    ("src/oplog/log.c", '#include "focal/base.h"\n'),
    ("src/THREATS.md", "| one more | `struct x`, `merge/two.h` | `unit_merge_*`, `system_cli` (`main`); nothing else yet |\n"),
    ("include/focal/merge.h", "static inline int focal_inline(void)\n{\n    return *focal_merge_two();\n}\n"),
]


def plant(root, path=None, text=""):
    files = dict(CLEAN)
    if path:
        files[path] = files.get(path, "") + text
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return files


def libraries(root, cc, files):
    """A static library of each room's folder, as the real build makes them."""
    stubs = root / "stubs"
    stubs.mkdir()
    for name in HEADERS:
        (stubs / name).write_text("")
    libs = root / "libs"
    libs.mkdir()
    for room in ("base", "merge", "store", "oplog", "io"):
        objects = []
        for name in files:
            source = pathlib.PurePosixPath(name)
            if source.parts[:2] == ("src", room) and len(source.parts) == 3 and source.suffix == ".c":
                objects.append(str(libs / f"{room}-{source.stem}.o"))
                subprocess.run([cc, "-w", "-c", "-I", str(root / "include"), "-I", str(stubs), "-o", objects[-1],
                                str(root / name)], check=True)
        subprocess.run(["ar", "rcs", str(libs / f"libfocal_{room}.a"), *objects], check=True)
    return libs


def breaks(cc, path=None, text="", with_libraries=False):
    with tempfile.TemporaryDirectory() as made:
        root = pathlib.Path(made)
        files = plant(root, path, text)
        libs = libraries(root, cc, files) if with_libraries else None
        return house.House(root, libs).check_all()


def main():
    parser = argparse.ArgumentParser(description="prove that each check of house.py can fail")
    parser.add_argument("--cc", default="cc")
    cc = parser.parse_args().cc
    wrong = []
    found = breaks(cc, with_libraries=True)
    if found:
        wrong.append(("the clean house", found))
    for path, text in PASSES:
        found = breaks(cc, path, text, with_libraries=path != "src/daemon/main.c")
        if found:
            wrong.append((f"a near miss in {path}: {text[:60]!r}", found))
    for rule, path, text in PLANTS:
        found = breaks(cc, path, text, with_libraries=rule in ("symbols", "state", "doors", "planted"))
        if len(found) != 1 or f": {rule}: " not in found[0] or path not in found[0] and rule not in ("symbols", "state") and "libfocal_" not in found[0]:
            wrong.append((f"{rule} planted in {path}: {text[:60]!r}", found))
    for what, found in wrong:
        print(f"{what}: found {found}")
    print(f"{len(PLANTS)} plants, {len(PASSES)} near misses, {len(wrong)} judged wrongly")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
