/* Planted bugs: known faults that one special build can be told to have, to prove that the tests would find them.
 *
 * FOCAL_PLANTED(NAME) is the constant false in every normal build, and nothing of it is left in the program. In a build with
 * FOCAL_PLANT defined (preset `plant`) it is true when the environment's FOCAL_PLANT is that name; without one, no bug is on.
 * tests/plant/hunt.py hunts each of them; tests/README.md says how to add one. */
#ifndef FOCAL_BASE_PLANT_H
#define FOCAL_BASE_PLANT_H

#include <stdbool.h>

/* The name, and what is wrong then. */
#define FOCAL_PLANT_LIST(X)                                                                                            \
    /* merge */                                                                                                        \
    X(LATE_VALUE_REVIVES,      "a value that was replaced before it came is live when it comes")                       \
    X(REPLACED_MUST_BE_HELD,   "what an entry replaces is forgotten when nothing of the record is held yet")           \
    X(REFERENCE_BY_ADDRESS,    "a reference means whatever stands at its log and sequence, whatever the hash")         \
    X(SECOND_VERSION_LOST,     "of two edits that replace the same values the one that comes second is dropped")       \
    X(AGREEMENT_IS_CONFLICT,   "equal values of two offices count as two versions")                                    \
    X(VERSIONS_NEED_MEMORY,    "without memory for a list, two versions are taken for one")                            \
    X(EVENTS_TAKEN_OFF,        "an event can be replaced")                                                             \
    X(LATER_DAY_FIRST,         "of two versions the one with the later day is shown first")                            \
    /* crypto and wire */                                                                                              \
    X(NONCE_REUSED,            "two frames are sealed under one nonce")                                                \
    X(REKEY_SKIPPED,           "the key of a channel is never changed")                                                \
    X(LENGTH_BELIEVED,         "the unpacked length that a stretch declares is not held against the cap")              \
    X(SEALED_WITHOUT_AUTHOR,   "a sealed value opens in an entry of any office")                                       \
    X(SEALED_TO_EACH_HIS_OWN,  "one sealed value can open to each addressee as something else")                        \
    /* oplog: what comes in */                                                                                         \
    X(SIGNATURE_UNCHECKED,     "a stretch with a wrong signature gets in")                                             \
    X(CHAIN_UNCHECKED,         "a stretch is not asked whether it follows what is held")                               \
    X(AUTHOR_UNCHECKED,        "an author whom no certificate lets write in a scope gets in")                          \
    X(OPENING_UNCHECKED,       "an epoch needs no opening that a certificate allows")                                  \
    X(STRIPPED_TAKEN,          "an entry without payload gets in although nothing says that it was redacted")          \
    X(STATEMENT_UNSIGNED,      "a statement counts without the signature of the authority")                            \
    X(RECEIPT_UNSIGNED,        "a receipt counts without the signature of its office")                                 \
    /* oplog: what is derived and kept */                                                                              \
    X(BATCH_TAIL_LOST,         "the last of many entries for one part is not merged")                                  \
    X(KIND_ROW_FORGOTTEN,      "the list of records by kind lacks what is created")                                    \
    X(CONFLICT_ROW_STAYS,      "a record stays in the list of conflicts after they were settled")                      \
    X(FRONTIER_STALE,          "the hash of a frontier is not made again when a head moves")                           \
    X(HEAD_ROW_LATE,           "a segment is kept without the new head of its log")                                    \
    X(SEED_USED_AGAIN,         "every run of salts has the same seed")                                                 \
    X(SEED_KEPT,               "the seed of a run stays with it when an entry of it is stripped")                      \
    X(SECOND_BRANCH_DROPPED,   "the second branch of a forked log is kept and does not count")                         \
    X(FORK_STOPS_GROWING,      "a log takes no more entries once it is forked")                                         \
    X(FRONTIER_ONE_TIP,        "the hash of a frontier holds only the trunk of a forked log")                           \
    X(OLD_COPY_GOES_ON,        "a database that the fence calls an older copy goes on in its epoch")                    \
    X(REDACTION_SET_GROWS,     "a redaction counts for ever, whoever never had the right or lost it")                   \
    X(REDACTION_JUDGED_ONCE,   "a redaction is not judged again when a right becomes known")                            \
    X(REDACTED_KIND_ROW_STAYS, "a redacted record stays in the list of records by kind")                                \
    X(REDACTED_LATE_TAKEN,     "an entry that comes after its redaction is kept with its payload")                      \
    X(SEED_REACHES_STRIPPED,   "a seed stays in a segment beside the one in which an entry was stripped")               \
    X(HIDDEN_NEVER_ERASED,     "what a second office asks to be erased stays on the disk")                              \
    X(BEYOND_CUT_COUNTS,       "what comes after a cut and lies beyond it gets in and counts")                           \
    X(POLICY_UNHEEDED,         "one person does what the authority wants two for")                                      \
    X(EXPIRED_BY_ONE_CLOCK,    "a membership has expired when the clock of this machine alone says so")                 \
    X(EXPIRED_IS_GIVEN_ALL,    "whose membership has expired is given what others wrote")                               \
    X(RENEWAL_KEY_FOR_EVER,    "what a renewal key signed counts after the authority took the key away")                \
    X(OLD_AUTHORITY_GOES_ON,   "what a replaced authority key signs goes on to count")                                  \
    X(CUT_LEAVES_DERIVED,      "what a cut takes away stays in the records derived before it came")                      \
    X(CUT_TIP_BY_NUMBER,       "beside a listed tip that is held, another line counts up to its number")                  \
    X(LOWER_CUT_COUNTS,        "of two cuts of one reach the lower number counts as well")                                \
    X(RIGHT_CUT_IGNORED,       "from whom the right to redact was taken redacts what others wrote as before")             \
    X(VOID_STAYS_HIDDEN,       "what was hidden by a redaction that counts no more stays hidden")                         \
    X(HOLE_SIGNED_FOR,         "what is missing is confirmed to be here")                                               \
    X(HOLE_STAYS,              "what was missing and is redacted is missing for ever")                                    \
    X(RECEIPT_AHEAD,           "a receipt lists an entry that is not held")                                            \
    /* sync */                                                                                                         \
    X(ANY_SCOPE_TOLD,          "a peer gets logs of scopes that it may not read")                                      \
    X(RIGHTS_JUDGED_ONCE,      "a peer whose right to read was taken back is told on as before")                         \
    X(WAITING_IS_SENT,         "what waits to be sent of a scope that was taken from a peer is sent")                     \
    X(HOLE_NOT_GIVEN_ON,       "what was missing here and came is not given to who asked for it before")                  \
    X(STAGED_ACKNOWLEDGED,     "entries are acknowledged while their signature is still awaited")                      \
    X(CREDIT_LOST,             "bytes that the peer has taken in stay counted as under way")                           \
    X(RANGE_OFF_BY_ONE,        "a range is sent from one entry too late")                                              \
    X(TIP_NOT_ANNOUNCED,       "a new tip that cannot be pushed is not announced either")                              \
    /* node */                                                                                                         \
    X(SCOPE_NOT_LEFT,          "a scope that was taken from this office stays on its disk")                               \
    X(SEALED_IN_CLEAR,         "what should be sealed goes into the log as it is")                                     \
    X(SEALED_TO_ALL,           "what is sealed is sealed to every office")                                             \
    X(SEALED_COPIED,           "a sealed value is copied into an entry of another office, where it opens no more")     \
    X(COPY_NOT_FOLLOWED,       "what this office redacted in one scope stays in another when its notice there is lost")    \
    X(ACK_BEFORE_COMMIT,       "what a step made is acknowledged while its transaction is still open")                 \
    X(FAILED_STEP_SPEAKS,      "frames leave after a step that failed")                                                \
    X(MEMORY_NOT_ROLLED_BACK,  "after a step that failed, memory still holds what it wrote")                           \
    X(BACK_OFF_STAYS,          "a link that came up does not end the waiting between dials")                           \
    X(PAUSE_FORGOTTEN,         "a paused peer is dialled again after a restart")                                       \
    X(ROW_TAKES_ALL,           "taking one row off a record takes all of them")                                        \
    X(ONE_VERSION_SETTLED,     "a write settles only the first of two versions")                                       \
    /* admin and io */                                                                                                 \
    X(RIGHTS_ARE_A_LADDER,     "who administers may do everything")                                                    \
    X(HISTORY_NAMES_RECORDS,   "the history names records to who may not read them")                                   \
    X(NOTED_AFTERWARDS,        "an export is noted after it was given out")                                            \
    X(CHANGE_WITHOUT_NOTE,     "the note of a change is left to a later step")                                         \
    X(ONE_PERSON_IS_TWO,       "who asked for what needs two persons may agree to it")                                 \
    X(MODE_UNCHECKED,          "a file is trusted whoever may write it, and a key is read whoever may read it")        \
    /* store */                                                                                                        \
    X(SCRUB_LEFT_OUT,          "what was redacted stays in the write-ahead log")                                        \
    X(FENCE_BEFORE_COMMIT,     "the fence is marked before the database has committed")                                 \
    X(COMMIT_FAILS_SILENTLY,   "a commit that failed is called good")                                                  \
    X(FSYNC_TRIED_AGAIN,       "after a failed fsync the store goes on as if nothing had been lost")                   \
    X(TORN_FIRST_PAGE_REFUSED, "a first page that a power cut tore is not read past, though the log has it")         \
    X(PAGE_AT_ANY_PLACE,       "a page of the database is authentic wherever it stands in the file")                 \
    X(PAGE_NONCE_REUSED,       "every page is sealed under one nonce")                                              \
    X(FSYNC_LEFT_OUT,          "a commit does not wait for the disk")

enum focal_plant {
    FOCAL_PLANT_NONE,
#define X(name, text) FOCAL_PLANT_##name,
    FOCAL_PLANT_LIST(X)
#undef X
};

#ifdef FOCAL_PLANT
/* The environment is read at the first call; a name that is not in the list ends the program. Any thread. */
bool focal_plant_is(enum focal_plant);
#define FOCAL_PLANTED(name) focal_plant_is(FOCAL_PLANT_##name)
#else
#define FOCAL_PLANTED(name) ((void)FOCAL_PLANT_##name, false)
#endif

#endif
