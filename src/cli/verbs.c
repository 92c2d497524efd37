/* THE table of verbs, and of the options they take. */
#include "cli.h"

const struct option_row option_rows[OPTION_COUNT] = {
    [OPTION_HELP] = { "help", 'h', NULL, "this help" },
    [OPTION_VERSION] = { "version", 'V', NULL, "the program's version" },
    [OPTION_SOCKET] = { "socket", 0, "PATH", "the daemon's control socket" },
    [OPTION_DIR] = { "dir", 0, "DIR", "the daemon's directory; the socket is DIR/control.sock" },
    [OPTION_JSON] = { "json", 0, NULL, "one JSON object on standard output; errors as JSON on standard error" },
    [OPTION_COLOR] = { "color", 0, "WHEN", "always, never or auto (NO_COLOR and TERM=dumb are heeded)" },
    [OPTION_NO_INPUT] = { "no-input", 0, NULL, "never ask for anything" },
    [OPTION_TIMEOUT] = { "timeout", 0, "TIME", "wait no longer than that: 90, 90s, 10m, 2h; 0 is for ever" },
    [OPTION_JSON_LINES] = { "json-lines", 0, NULL, "one JSON object per line, as they come" },
    [OPTION_LIMIT] = { "limit", 0, "N", "at most N rows (1000)" },
    [OPTION_AFTER] = { "after", 0, "REF", "go on after this one" },
    [OPTION_ALL] = { "all", 0, NULL, "no limit" },
    [OPTION_FILTER] = { "filter", 0, "FIELD=VALUE", "only those that have it; may be repeated" },
    [OPTION_WITHDRAWN] = { "withdrawn", 0, NULL, "cases that are withdrawn, instead of the others" },
    [OPTION_FROM] = { "from", 0, "FILE", "fields from a JSON object; - is standard input" },
    [OPTION_SET] = { "set", 0, "FIELD=VALUE", "set a field; an empty value clears it; may be repeated" },
    [OPTION_ADD] = { "add", 0, "FIELD=VALUE", "add a row: victims=female.child; may be repeated" },
    [OPTION_REMOVE] = { "remove", 0, "FIELD=ROW", "take a row off, by its name in `show` or by its value; may be repeated" },
    [OPTION_IF_VERSION] = { "if-version", 0, "VERSION", "only if nobody has changed it since `show` gave this version" },
    [OPTION_DAY] = { "day", 0, "YYYY-MM-DD", "the day the entry carries (today)" },
    [OPTION_TAKE] = { "take", 0, "VALUE", "keep this of the versions" },
    [OPTION_TAKE_OFFICE] = { "take-office", 0, "CODE", "keep the version that this office wrote" },
    [OPTION_REASON] = { "reason", 0, "CODE", "why; of a withdrawal: entered_in_error, duplicate, complainant_request or other" },
    [OPTION_WHY] = { "reason", 0, "CODE", "survivor_request, entered_in_error, identifies_a_person, retention or other" },
    [OPTION_FIELD] = { "field", 0, "FIELD", "this field alone, with every value it ever had; the others stay" },
    [OPTION_YES] = { "yes", 0, NULL, "do not ask whether you are sure" },
    [OPTION_SEEN] = { "seen", 0, NULL, "you have looked at them: `status` says nothing more of these" },
    [OPTION_COUNTRY] = { "country", 0, "C", "the country whose exact days and identifying codes it may see, such as KEN" },
    [OPTION_MAY_REDACT] = { "may-redact", 0, NULL, "it may also redact what other offices wrote, as headquarters may" },
    [OPTION_EXPIRES] = { "expires", 0, "DAYS", "how long the invitation is good: 1d to 90d (7d)" },
    [OPTION_ADDRESS] = { "address", 0, "HOST:PORT", "where the new office finds this one; may be repeated" },
    [OPTION_WORDS_FILE] = { "words-file", 0, "FILE", "the eight words; - is standard input" },
    [OPTION_PASSPHRASE_FILE] = { "passphrase-file", 0, "FILE", "the passphrase of the authority key, in a file only you can read" },
    [OPTION_STORE_PASSPHRASE] = { "passphrase-file", 0, "FILE", "the passphrase of the store, in a file only you can read; - is standard input" },
    [OPTION_NEW_PASSPHRASE] = { "new-passphrase-file", 0, "FILE", "the new passphrase of the store, in a file only you can read" },
    [OPTION_CONFIRM] = { "confirm", 0, "DESTROY", "the word, where nobody can be asked" },
    [OPTION_TO] = { "to", 0, "HOW", "plain, passphrase, credential or both" },
    [OPTION_AUTHORITY_KEY] = { "authority-key", 0, "FILE", "the authority key (keys/authority.key in the daemon's directory)" },
    [OPTION_KNOWN] = { "known", 0, "FILE", "what a member holds of it, by `office heads CODE -o FILE` there; may be repeated" },
    [OPTION_VOID] = { "void", 0, "SCOPE", "nothing of this scope is to stay, though nobody told what there is; may be repeated" },
    [OPTION_SCOPE] = { "scope", 0, "SCOPE", "this scope alone, such as country:KEN" },
    [OPTION_RIGHT] = { "right", 0, "redact", "the right to redact alone" },
    [OPTION_CUT_REASON] = { "reason", 0, "CODE", "revoked, key_stolen or narrowed (revoked)" },
    [OPTION_OFFICE] = { "office", 0, "CODE", "this office only" },
    [OPTION_WAIT_FOR] = { "wait", 0, "synced=CODE", "until that office has everything and has said so" },
    [OPTION_WAIT] = { "wait", 0, NULL, "until the other side has signed that it has everything" },
    [OPTION_DEEP] = { "deep", 0, NULL, "also check the database file, page by page" },
    [OPTION_KIND] = { "kind", 0, "KIND", "case, entity, focal-point, endorsement or nil-return (case)" },
    [OPTION_FORMAT] = { "format", 0, "FORMAT", "csv or jsonl; of a report: text, csv, json or html" },
    [OPTION_DRY_RUN] = { "dry-run", 0, NULL, "the same report, nothing written" },
    [OPTION_REJECTS] = { "rejects", 0, "FILE", "take the good rows, and write the refused ones with their reasons to FILE" },
    [OPTION_OUTPUT] = { "output", 'o', "FILE", "write to FILE, which is replaced only when all is there" },
    [OPTION_FOLLOW] = { "follow", 'f', NULL, "go on with what happens from now on" },
    [OPTION_PROOF] = { "proof", 0, "N", "write incident N with all that is signed of it, so that anybody can check it" },
    [OPTION_READINGS] = { "readings", 0, NULL, "also who looked at records" },
    [OPTION_PERIOD] = { "period", 0, "PERIOD", "a quarter (2018-Q2) or a year" },
};

const struct noun nouns[] = {
    { "case", "case" }, { "entity", "entity" }, { "focal-point", "focal_point" }, { "endorsement", "endorsement" }, { "nil-return", "nil_return" }
};
const size_t noun_count = sizeof nouns / sizeof nouns[0];

#define LISTING (HAS(JSON_LINES) | HAS(LIMIT) | HAS(AFTER) | HAS(ALL))

const struct verb verbs[] = {
    { "status", "", 0, 0, run_status, HAS(OFFICE) | HAS(WAIT_FOR) | HAS(TIMEOUT),
      "links to the other offices, what is on its way, what needs you",
      "  focalctl status\n"
      "  focalctl status --office HQ\n"
      "  focalctl status --wait synced=HQ --timeout 5m\n" },
    { "matrix", "", 0, 0, run_matrix, 0,
      "whose changes have reached whom, and how old that knowledge is",
      "  focalctl matrix\n" },
    { "sync now", "[OFFICE]", 0, 1, run_sync, HAS(WAIT) | HAS(TIMEOUT),
      "dial at once, one office or all",
      "  focalctl sync now\n"
      "  focalctl sync now HQ --wait\n" },
    { "ping", "OFFICE", 1, 1, run_ping, HAS(TIMEOUT),
      "ask another office for an answer",
      "  focalctl ping HQ\n" },
    { "verify", "", 0, 0, run_verify, HAS(DEEP),
      "check the log, its signatures, and what is derived from it",
      "  focalctl verify\n"
      "  focalctl verify --deep --json\n" },
    { "history", "", 0, 0, run_history, HAS(LIMIT) | HAS(FOLLOW) | HAS(READINGS) | HAS(JSON_LINES) | HAS(PROOF) | HAS(OUTPUT),
      "what happened here, and who did what: epochs, members, incidents, veils, commands",
      "  focalctl history\n"
      "  focalctl history --readings --limit 1000\n"
      "  focalctl history --follow\n"
      "  focalctl history --proof 3 -o incident-3.json\n" },
    { "veil lift", "", 0, 0, run_lift_veil, HAS(REASON),
      "show records again though nobody could tell what was redacted since (two persons decide)",
      "  focalctl veil lift --reason two_persons_agreed\n" },
    { "approve", "NUMBER", 1, 1, run_approve, 0,
      "agree, as the second person, to what another user asked for",
      "  focalctl approve 7\n" },
    { "request list", "", 0, 0, run_list, HAS(JSON_LINES),
      "what waits for a second person",
      "  focalctl request list\n" },
    { "request refuse", "NUMBER", 1, 1, run_refuse_request, 0,
      "let it wait no more; who asked may do so too",
      "  focalctl request refuse 7\n" },
    { "lock", "", 0, 0, run_lock, 0,
      "close the store, wipe its key from memory, take the links down",
      "  focalctl lock\n" },
    { "unlock", "", 0, 0, run_unlock, HAS(STORE_PASSPHRASE),
      "open a store that is locked, as it is after a start under a passphrase",
      "  focalctl unlock\n"
      "  focalctl unlock --passphrase-file F\n" },
    { "destroy", "", 0, 0, run_destroy, HAS(CONFIRM),
      "make everything of this office on this machine unreadable, for good",
      "  focalctl destroy\n" },
    { "store-key show", "", 0, 0, run_store_key, 0,
      "how the key of the store is kept",
      "  focalctl store-key show\n" },
    { "store-key change", "", 0, 0, run_store_key, HAS(TO) | HAS(STORE_PASSPHRASE) | HAS(NEW_PASSPHRASE),
      "keep the key of the store in another way, or under another passphrase",
      "  focalctl store-key change --to passphrase\n" },
    { "store-key rotate", "", 0, 0, run_store_key, HAS(STORE_PASSPHRASE),
      "encrypt everything anew, under another key; nothing else is done meanwhile",
      "  focalctl store-key rotate\n" },
    { "NOUN new", "", 0, 0, run_new, HAS(FROM) | HAS(SET) | HAS(ADD) | HAS(DAY),
      "write a new record",
      "  focalctl NOUN new --from F.json\n"
      "  focalctl NOUN new --set FIELD=VALUE --set FIELD=VALUE\n" },
    { "NOUN list", "", 0, 0, run_list, LISTING | HAS(FILTER) | HAS(WITHDRAWN),
      "the records, a page at a time",
      "  focalctl NOUN list\n"
      "  focalctl NOUN list --filter FIELD=VALUE --limit 20\n"
      "  focalctl case list --withdrawn\n"
      "  focalctl NOUN list --all --json-lines | jq .id\n" },
    { "NOUN show", "REF", 1, 1, run_show, 0,
      "one record, its versions, and who has seen it",
      "  focalctl NOUN show KEN-4F7Q-29XD-0\n" },
    { "NOUN update", "REF", 1, 1, run_update, HAS(FROM) | HAS(SET) | HAS(ADD) | HAS(REMOVE) | HAS(IF_VERSION) | HAS(DAY),
      "change fields of a record",
      "  focalctl NOUN update KEN-4F7Q-29XD-0 --set FIELD=VALUE\n"
      "  focalctl case update KEN-4F7Q-29XD-0 --add victims=female.child --set assistance.medical=offered\n"
      "  focalctl case update KEN-4F7Q-29XD-0 --remove victims=9f3a2c11.0 --if-version 5d0c11aa90be3f27\n" },
    { "NOUN conflicts", "[REF]", 0, 1, run_conflicts, HAS(JSON_LINES) | HAS(LIMIT) | HAS(ALL),
      "records that have two versions, side by side; withdrawn cases that were changed",
      "  focalctl NOUN conflicts\n"
      "  focalctl NOUN conflicts KEN-4F7Q-29XD-0\n" },
    { "NOUN resolve", "REF FIELD", 2, 2, run_resolve, HAS(TAKE) | HAS(TAKE_OFFICE) | HAS(IF_VERSION),
      "keep one of two versions, everywhere",
      "  focalctl case resolve KEN-4F7Q-29XD-0 status --take under_investigation\n"
      "  focalctl NOUN resolve KEN-4F7Q-29XD-0 FIELD --take-office HQ\n" },
    { "NOUN redact", "REF", 1, 1, run_redact, HAS(WHY) | HAS(FIELD) | HAS(YES),
      "take a record, or one field of it, out of the history: everywhere, for good",
      "  focalctl NOUN redact KEN-4F7Q-29XD-0 --reason survivor_request\n"
      "  focalctl NOUN redact KEN-4F7Q-29XD-0 --field FIELD --reason identifies_a_person\n" },
    { "case withdraw", "REF", 1, 1, run_withdraw, HAS(REASON) | HAS(IF_VERSION),
      "take a case out of lists, files and reports; it stays in the log and can be read",
      "  focalctl case withdraw KEN-4F7Q-29XD-0 --reason entered_in_error\n"
      "  focalctl case withdraw KEN-4F7Q-29XD-0 --reason complainant_request --if-version 5d0c11aa90be3f27\n" },
    { "case restore", "REF", 1, 1, run_withdraw, HAS(IF_VERSION),
      "end the withdrawal of a case",
      "  focalctl case restore KEN-4F7Q-29XD-0\n" },
    { "redaction list", "", 0, 0, run_list, HAS(JSON_LINES) | HAS(LIMIT) | HAS(ALL),
      "what was redacted, who asked, and who has confirmed it",
      "  focalctl redaction list\n" },
    { "redaction show", "REF", 1, 1, run_redaction_show, 0,
      "the same of one record, which is still found by its reference",
      "  focalctl redaction show KEN-4F7Q-29XD-0\n" },
    { "redaction agree", "REF", 1, 1, run_redact, HAS(WHY) | HAS(YES),
      "ask as well for what another office has redacted of a record: of two offices it is erased",
      "  focalctl redaction agree KEN-4F7Q-29XD-0 --reason survivor_request\n" },
    { "refused", "", 0, 0, run_refused, HAS(JSON_LINES) | HAS(LIMIT) | HAS(ALL) | HAS(SEEN),
      "what this office wrote and others have redacted: which fields, never what stood in them",
      "  focalctl refused\n"
      "  focalctl refused --seen\n" },
    { "import", "FILE", 1, 1, run_import, HAS(KIND) | HAS(FORMAT) | HAS(DRY_RUN) | HAS(REJECTS),
      "take in a file: all of it or nothing, unless --rejects",
      "  focalctl import cases.csv --dry-run\n"
      "  focalctl import cases.jsonl --rejects refused.csv\n"
      "  focalctl import - --kind entity --format csv < entities.csv\n" },
    { "export", "", 0, 0, run_export, HAS(KIND) | HAS(FORMAT) | HAS(OUTPUT) | HAS(WITHDRAWN),
      "write out all records of a kind, as csv or jsonl",
      "  focalctl export --kind case --format csv -o cases.csv\n"
      "  focalctl export --format jsonl | jq -c .\n" },
    { "report", "", 0, 0, run_report, HAS(PERIOD) | HAS(FORMAT) | HAS(OUTPUT),
      "the tables of a period: text, csv, json or html",
      "  focalctl report --period 2018-Q2\n"
      "  focalctl report --period 2018-Q2 --format html -o report.html\n" },
    { "office invite", "CODE", 1, 1, run_invite, HAS(COUNTRY) | HAS(MAY_REDACT) | HAS(EXPIRES) | HAS(ADDRESS),
      "make an invitation for a new office (headquarters)",
      "  focalctl office invite KEN --country KEN\n"
      "  focalctl office invite SSD --country SSD --expires 14d\n"
      "  focalctl office invite REGION --may-redact\n" },
    { "office admit", "CODE", 1, 1, run_admit, HAS(WORDS_FILE) | HAS(PASSPHRASE_FILE) | HAS(AUTHORITY_KEY) | HAS(TIMEOUT),
      "admit an invited office, by the eight words on its screen (headquarters)",
      "  focalctl office admit KEN\n"
      "  focalctl office admit KEN --words-file words.txt --passphrase-file pass.txt --no-input\n" },
    { "office list", "", 0, 0, run_list, LISTING,
      "offices of the network, and those invited",
      "  focalctl office list\n" },
    { "office show", "CODE", 1, 1, run_office_show, 0,
      "one office: membership, keys, link",
      "  focalctl office show HQ\n" },
    { "office heads", "CODE", 1, 1, run_heads, HAS(OUTPUT),
      "what this office holds of another's logs, for headquarters' `office revoke --known`",
      "  focalctl office heads KEN\n"
      "  focalctl office heads KEN -o heads-of-KEN.json\n" },
    { "office revoke", "CODE", 1, 1, run_revoke,
      HAS(KNOWN) | HAS(VOID) | HAS(SCOPE) | HAS(RIGHT) | HAS(CUT_REASON) | HAS(YES) | HAS(PASSPHRASE_FILE) | HAS(AUTHORITY_KEY),
      "take an office's rights back: what is known of it stays, all else counts no more (headquarters)",
      "  focalctl office revoke KEN --reason key_stolen\n"
      "  focalctl office revoke SSD --known heads-of-SSD.json\n"
      "  focalctl office revoke KEN --scope country:KEN\n"
      "  focalctl office revoke KEN --right redact\n" },
    { "office retire", "CODE", 1, 1, run_revoke, HAS(KNOWN) | HAS(VOID) | HAS(YES) | HAS(PASSPHRASE_FILE) | HAS(AUTHORITY_KEY),
      "let an office go that is connected and stands equal: all that it wrote stays (headquarters)",
      "  focalctl office retire KEN\n" },
    { "network show", "", 0, 0, run_network, 0,
      "the network, its authority, and what rights were taken back",
      "  focalctl network show\n" },
    { "office pause", "CODE", 1, 1, run_pause, 0,
      "cut the link to an office, until resumed",
      "  focalctl office pause HQ\n" },
    { "office resume", "CODE", 1, 1, run_pause, 0,
      "let the link to an office come back",
      "  focalctl office resume HQ\n" },
};
const size_t verb_count = sizeof verbs / sizeof verbs[0];
