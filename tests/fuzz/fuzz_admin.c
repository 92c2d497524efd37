/* Lines of the control socket over a whole node, by whoever sends them (the first byte: which rights): every line that is a
 * request is answered, and who may not read is told nothing of the record that stands here, not even its reference. */
#include "../unit/admin/world.h"
#include "fuzz.h"

enum { LINES_MAX = 40, TURNS_MAX = 400 };

static struct world world;
static struct focal_fake_image *image;
static char id[80], record[80];

static void begin_once(void)
{
    struct world *w = &world;
    focal_assert(focal_crypto_init() == FOCAL_OK);
    w->store = focal_fake_store_new();
    w->chance = 7;
    w->now = (struct focal_now){ .mono_ms = 1000, .wall_ms = (uint64_t)DAY * 86400000u + 36000000u };
    w->two_persons = 15;
    focal_buf_init(&w->out, 64 << 20);
    found(w);
    open_node(w);
    come_as(w, 1002, FOCAL_MAY_ENTRY);
    (void)ask(w, "{\"id\":1,\"do\":\"case.new\",\"with\":{\"fields\":{\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\"}}}");
    pick(w, "id", id);
    pick(w, "record", record);
    (void)ask(w, "{\"id\":1,\"do\":\"export\"}");
    focal_admin_close(w->admin);
    focal_node_close(w->node);
    image = focal_fake_store_backup(w->store, false);
    focal_assert(image);
}

static bool holds(struct focal_span text, const char *part)
{
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.data + i, part, len) == 0)
            return true;
    return false;
}

static void turns(struct world *w)
{
    int left = TURNS_MAX;
    do {
        turn(w);
        w->now.mono_ms += 5000;         /* who waits for another office waits no longer than that */
        w->now.wall_ms += 5000;
    } while (left-- > 0 && (focal_admin_again(w->admin) || focal_admin_deadline_ms(w->admin) != UINT64_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = &world;
    if (!image)
        begin_once();
    if (size < 1)
        return 0;
    const unsigned rights = data[0] & FOCAL_MAY_ALL;
    const struct focal_span all = focal_span_of(data + 1, size - 1);
    focal_assert(focal_fake_store_restore(w->store, image) == FOCAL_OK);
    open_node(w);
    come_as(w, 2000 + rights, rights);
    struct focal_span rest = all;
    for (int lines = 0; rest.len && lines < LINES_MAX; lines++) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        focal_admin_line(w->admin, 1, focal_span_of(rest.data, len), w->now);
        rest = focal_span_of(rest.data + len + (end ? 1 : 0), rest.len - len - (end ? 1 : 0));
        turns(w);
    }
    if (!(rights & (FOCAL_MAY_READ | FOCAL_MAY_ENTRY))) {
        struct focal_span said = focal_buf_view(&w->out);
        focal_assert(holds(all, "sexual_abuse") || !holds(said, "sexual_abuse"));
        focal_assert(holds(all, id) || !holds(said, id));
        focal_assert(holds(all, record) || !holds(said, record));
    }
    if (rights == 0)
        focal_assert(!holds(focal_buf_view(&w->out), "\"item\""));
    focal_buf_clear(&w->out);
    focal_admin_close(w->admin);
    focal_node_close(w->node);
    return 0;
}
