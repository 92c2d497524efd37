/* focald setup: what headquarters and a joining office have in common. */
#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
    "Examples:\n"
    "  focald setup --role hq --network \"My network\" --office HQ --dir hq --listen 192.0.2.1:7443\n"
    "  focald setup --role hq --network Test --office HQ --dir hq --passphrase-file p --no-input --json\n"
    "  focald setup --join-file token --dir ken         token: what `focalctl office invite` gave; - is standard input\n"
    "  focald setup --role hq --recover network.json --sheet sheet.txt --dir hq    headquarters' machine is gone\n"
    "  focald setup --rejoin --dir ken                  the database of ken is damaged or lost, its keys are there\n"
    "\n"
    "Makes keys and configuration in a directory, and prints the next command. It does not start the daemon.\n"
    "Nothing is overwritten, and when something fails nothing is left behind.\n"
    "\n"
    "  --role hq               found a new network (else: join one)\n"
    "  --network LABEL         its name for people\n"
    "  --office CODE           2 to 12 of A-Z, 0-9 and -\n"
    "  --country CCC           headquarters also reads and writes the records of this country; may be repeated\n"
    "  --expiry-stops          an office whose membership has expired is given nothing new until it is renewed\n"
    "                          (default: everybody is warned, and nothing stops); it cannot be changed later\n"
    "  --passphrase-file FILE  passphrase of the authority key, on the first line; asked for when absent\n"
    "  --join-file FILE        the invitation's token; asked for when absent\n"
    "  --recover FILE          headquarters' machine is gone, keys and all: set another up with FILE, which `focalctl network export`\n"
    "                          made at a member that can be reached from here; may be repeated with files of other members\n"
    "  --sheet FILE            the recovery sheet, or its recovery key and check typed again\n"
    "  --store-key HOW         what opens the encrypted store: plain, a file beside it, so that the daemon starts by itself\n"
    "                          and who takes the disk can read all (default); passphrase, asked for after each start by\n"
    "                          `focalctl unlock`; credential, focal-store-key from the service's unit; both\n"
    "  --store-passphrase-file FILE  its passphrase, on the first line; asked for when absent\n"
    "  --dir DIR               default /var/lib/focal\n"
    "  --listen HOST:PORT      where other offices reach this one; none to dial only; port 0 picks one now\n"
    "                          (default 0.0.0.0:7443 at headquarters, none at an office)\n"
    "  --advertise HOST:PORT   what other offices are told to dial, if that is another address; may be repeated\n"
    "  --rejoin                a new database for an office that is a member; the daemon must not be running.\n"
    "                          The old one is set aside as focal.db.damaged-DATE and never deleted. What can be read of it\n"
    "                          is salvaged, derived state is made anew from the log, the rest comes from the other offices.\n"
    "  --no-input              never ask\n"
    "  --json                  answer as JSON\n";

enum { OPT_ROLE = 256, OPT_NETWORK, OPT_OFFICE, OPT_COUNTRY, OPT_PASSPHRASE, OPT_JOIN, OPT_DIR, OPT_LISTEN, OPT_ADVERTISE, OPT_NO_INPUT, OPT_JSON, OPT_REJOIN, OPT_RECOVER, OPT_SHEET, OPT_STORE_KEY, OPT_STORE_PASSPHRASE, OPT_EXPIRY, OPT_HELP };

static const struct option options[] = {
    { "role", required_argument, NULL, OPT_ROLE }, { "network", required_argument, NULL, OPT_NETWORK },
    { "office", required_argument, NULL, OPT_OFFICE }, { "country", required_argument, NULL, OPT_COUNTRY },
    { "passphrase-file", required_argument, NULL, OPT_PASSPHRASE }, { "join-file", required_argument, NULL, OPT_JOIN },
    { "dir", required_argument, NULL, OPT_DIR }, { "listen", required_argument, NULL, OPT_LISTEN },
    { "advertise", required_argument, NULL, OPT_ADVERTISE }, { "no-input", no_argument, NULL, OPT_NO_INPUT },
    { "store-key", required_argument, NULL, OPT_STORE_KEY }, { "store-passphrase-file", required_argument, NULL, OPT_STORE_PASSPHRASE },
    { "expiry-stops", no_argument, NULL, OPT_EXPIRY },
    { "json", no_argument, NULL, OPT_JSON }, { "rejoin", no_argument, NULL, OPT_REJOIN }, { "recover", required_argument, NULL, OPT_RECOVER }, { "sheet", required_argument, NULL, OPT_SHEET }, { "help", no_argument, NULL, OPT_HELP }, { 0 }
};

/* -1: go on; else the exit status. */
static int read_options(struct setup *s, int argc, char **argv)
{
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case OPT_ROLE:       s->role = optarg; break;
        case OPT_NETWORK:    s->network = optarg; break;
        case OPT_OFFICE:     s->office = optarg; break;
        case OPT_PASSPHRASE: s->passphrase_file = optarg; break;
        case OPT_JOIN:       s->join_file = optarg; break;
        case OPT_DIR:        s->dir = optarg; break;
        case OPT_LISTEN:     s->listen = optarg; break;
        case OPT_NO_INPUT:   s->no_input = true; break;
        case OPT_JSON:       s->json = true; break;
        case OPT_REJOIN:     s->rejoin = true; break;
        case OPT_EXPIRY:     s->expiry_stops = true; break;
        case OPT_STORE_PASSPHRASE: s->store_passphrase_file = optarg; break;
        case OPT_STORE_KEY:
            if (!focal_wrap_parse(&s->secret.wrap, optarg))
                return say_usage("setup", "--store-key is plain, passphrase, credential or both, not \"%s\"", optarg);
            s->wrap_given = true;
            break;
        case OPT_HELP:       fputs(help, stdout); return SAY_OK;
        case OPT_SHEET:      s->sheet = optarg; break;
        case OPT_RECOVER:
            if (s->recover_count == RECOVER_MAX)
                return say_usage("setup", "at most %d files of members", RECOVER_MAX);
            s->recover[s->recover_count++] = optarg;
            break;
        case OPT_COUNTRY:
            if (s->country_count == COUNTRIES_MAX)
                return say_usage("setup", "at most %d countries", COUNTRIES_MAX);
            s->countries[s->country_count++] = optarg;
            break;
        case OPT_ADVERTISE:
            if (s->advertise_count == FOCAL_CONFIG_ADVERTISE_MAX)
                return say_usage("setup", "at most %d addresses", FOCAL_CONFIG_ADVERTISE_MAX);
            s->advertise[s->advertise_count++] = optarg;
            break;
        default:
            return say_usage("setup", "\"%s\" is not an option here, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return say_usage("setup", "\"%s\" is too much", argv[optind]);
    if (s->role && strcmp(s->role, "hq") != 0 && strcmp(s->role, "office") != 0)
        return say_usage("setup", "--role is hq or office, not \"%s\"", s->role);
    if (s->role && strcmp(s->role, "hq") == 0 && s->join_file)
        return say_usage("setup", "headquarters founds a network and does not join one");
    if (s->expiry_stops && !(s->role && strcmp(s->role, "hq") == 0))
        return say_usage("setup", "--expiry-stops is decided where a network is founded: it goes with --role hq");
    if (s->recover_count && (!s->role || strcmp(s->role, "hq") != 0 || s->network || s->office || s->country_count))
        return say_usage("setup", "--recover goes with --role hq; the network, the code and the countries are those of before");
    if (s->sheet && !s->recover_count)
        return say_usage("setup", "--sheet goes with --recover; where headquarters lives, it is `focalctl network rotate-authority --sheet`");
    if (s->rejoin && (s->role || s->recover_count || s->network || s->office || s->passphrase_file || s->join_file || s->listen || s->country_count || s->advertise_count || s->wrap_given))
        return say_usage("setup", "--rejoin takes what the directory holds: beside it only --dir, --store-passphrase-file and --json");
    if (!s->rejoin && s->store_passphrase_file && !focal_wrap_asks(s->secret.wrap))
        return say_usage("setup", "a passphrase goes with --store-key passphrase or both");
    return -1;
}

uint32_t today_now(void)
{
    struct focal_now now;
    focal_clock_now(&now);
    return (uint32_t)(now.wall_ms / 86400000u);
}

/* A port of 0 is drawn here and kept, so that the office is at the same place after every start. */
static enum focal_status settle_port(char address[FOCAL_CONFIG_ADDRESS_MAX], struct focal_error *err)
{
    size_t len = strlen(address);
    if (len < 2 || strcmp(address + len - 2, ":0") != 0)
        return FOCAL_OK;
    char host[FOCAL_CONFIG_ADDRESS_MAX];
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    (void)snprintf(host, sizeof host, "%.*s", (int)(len - 2), address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && inet_pton(AF_INET, host, &at.sin_addr) == 1 && bind(fd, (const struct sockaddr *)&at, size) == 0
                && getsockname(fd, (struct sockaddr *)&at, &size) == 0;
    if (fd >= 0)
        close(fd);
    if (!good)
        return focal_fail(err, FOCAL_USAGE, "name the port", "no port could be picked for %s", address);
    (void)snprintf(address, FOCAL_CONFIG_ADDRESS_MAX, "%.60s:%u", host, (unsigned)ntohs(at.sin_port));
    return FOCAL_OK;
}

static enum focal_status take_config(struct setup *s, struct focal_error *err)
{
    struct focal_buf list;
    focal_buf_init(&list, 2048);
    focal_config_defaults(&s->config);
    /* Headquarters must be reached; an office reaches out, and opens no port unless told to. */
    bool hq = s->role && strcmp(s->role, "hq") == 0;
    enum focal_status st = s->listen || !hq ? focal_config_set(&s->config, "link", "listen", s->listen ? s->listen : "none", err) : FOCAL_OK;
    for (size_t i = 0; i < s->advertise_count; i++)
        focal_buf_printf(&list, "%s%s", i ? ", " : "", s->advertise[i]);
    if (st == FOCAL_OK && s->advertise_count)
        st = focal_config_set(&s->config, "link", "advertise", focal_buf_cstr(&list), err);
    if (st == FOCAL_OK)
        st = settle_port(s->config.listen, err);
    focal_buf_close(&list);
    return st == FOCAL_REFUSED ? focal_fail(err, FOCAL_USAGE, err->hint, "%s", err->message) : st;
}

static enum focal_status write_config(struct setup *s, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_buf text;
    if (!path_join(path, s->place.stage, "focald.conf"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&text, 64 << 10);
    focal_buf_text(&text, "# Configuration of focald; `focald check-config` reads it as the daemon does.\n\n");
    focal_config_print(&text, &s->config, true);
    enum focal_status st = text.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the configuration")
                                       : focal_file_write(path, focal_buf_view(&text), 0600, false, err);
    focal_buf_close(&text);
    return st;
}

enum focal_status setup_ask_passphrase(struct setup *s, bool anew, struct focal_error *err)
{
    if (!focal_wrap_asks(s->secret.wrap))
        return FOCAL_OK;
    enum focal_status st;
    if (s->store_passphrase_file)
        st = passphrase_read(&s->store_passphrase, s->store_passphrase_file, err);
    else if (s->no_input || !prompt_possible())
        return focal_fail(err, FOCAL_USAGE, "use --store-passphrase-file FILE", "the store's key needs a passphrase");
    else
        st = prompt_secret(&s->store_passphrase, "Passphrase for the store on this machine", anew, err);
    if (st == FOCAL_OK && s->store_passphrase.len == 0)
        st = focal_fail(err, FOCAL_USAGE, "choose a long one", "an empty passphrase protects nothing");
    return st;
}

static enum focal_status make_secret(struct setup *s, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!path_join(path, s->place.stage, "keys/store.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    s->secret.keys.count = 1;
    store_key_draw(&s->secret.keys.list[0]);
    return store_key_write(path, &s->secret, focal_buf_view(&s->store_passphrase), false, err);
}

enum focal_status setup_make(struct setup *s, struct focal_error *err)
{
    uint8_t random[96];
    char path[PATH_BYTES];
    enum focal_status st = setup_ask_passphrase(s, true, err);
    if (st == FOCAL_OK)
        st = place_open(&s->place, s->dir, err);
    if (st != FOCAL_OK)
        return st;
    if (!path_join(path, s->place.stage, "keys/node.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    char real[4096];
    if (!realpath(s->dir, real) || strlen(real) >= sizeof s->dir_absolute)
        return focal_fail(err, FOCAL_IO, "", "%s: %s", s->dir, strerror(errno));
    memcpy(s->dir_absolute, real, strlen(real) + 1);
    if (strlen(real) + strlen("/control.sock") > 107)
        return focal_fail(err, FOCAL_USAGE, "choose a directory with a shorter name", "the control socket's path would be longer than the 107 bytes a socket's path may have");
    focal_entropy_fill(NULL, random, sizeof random);
    focal_node_keys_make(&s->keys, random);
    focal_wipe(random, sizeof random);
    st = make_secret(s, err);
    if (st == FOCAL_OK)
        st = node_key_write(path, &s->keys, &s->secret.keys.list[0], err);
    if (st == FOCAL_OK)
        st = write_config(s, err);
    return st;
}

void setup_tell(const struct setup *s, const char *office, const char *network, const char *const *words)
{
    char socket_path[PATH_BYTES];
    if (!path_join(socket_path, s->dir_absolute, "control.sock"))
        focal_unreachable();            /* setup_make held it against the limit of sockets */
    if (s->json) {
        json_t *list = words ? json_array() : json_null();
        for (int i = 0; words && i < 8; i++)
            json_array_append_new(list, json_string(words[i]));
        json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "schema", "focal.setup/1", "office", office, "role", words ? "office" : "hq",
            "network", network, "dir", s->dir_absolute, "socket", socket_path, "listen", s->config.listen, "words", list);
        if (out && json_dumpf(out, stdout, JSON_COMPACT) == 0)
            putchar('\n');
        json_decref(out);
        return;
    }
    if (!words) {
        printf("Headquarters %s of the network \"%s\" is set up in %s\n\n", office, network, s->dir_absolute);
        printf("Recovery sheet  %s/recovery-sheet.txt\n                print it, put it in a safe, then delete the file\n", s->dir_absolute);
        printf("Authority key   %s/keys/authority.key\n                opens with your passphrase; it may be kept on another disk\n\n", s->dir_absolute);
        printf("Next            focald run --dir %s\n", s->dir);
        printf("then            focalctl --dir %s office invite CODE\n", s->dir);
        return;
    }
    printf("Office %s is set up in %s to join the network \"%s\".\n\n", office, s->dir_absolute, network);
    printf("Read these eight words to headquarters, by a way on which you know each other's voice:\n\n   ");
    for (int i = 0; i < 8; i++)
        printf(" %s", words[i]);
    printf("\n\nNext            focald run --dir %s\n", s->dir);
    printf("at headquarters focalctl office admit %s\n", office);
}

int setup_main(int argc, char **argv)
{
    struct setup s = { .dir = "/var/lib/focal" };
    struct focal_error err;
    memset(&err, 0, sizeof err);
    int rv = read_options(&s, argc, argv);
    if (rv >= 0)
        return rv;
    focal_buf_init(&s.answers, 64 << 10);
    focal_buf_init(&s.store_passphrase, 8192);
    bool hq = s.role && strcmp(s.role, "hq") == 0;
    enum focal_status st = s.rejoin ? setup_rejoin(&s, &err) : take_config(&s, &err);
    if (st == FOCAL_OK && !s.rejoin)
        st = s.recover_count ? setup_recover(&s, &err) : hq ? setup_hq(&s, &err) : setup_join(&s, &err);
    if (st != FOCAL_OK)
        place_abandon(&s.place);
    focal_node_keys_wipe(&s.keys);
    focal_buf_wipe_close(&s.answers);
    focal_buf_wipe_close(&s.store_passphrase);
    focal_wipe(&s.secret.keys, sizeof s.secret.keys);
    err.status = st;
    return st == FOCAL_OK ? SAY_OK : say_failed(&err, s.json);
}
