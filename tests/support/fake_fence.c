/* The fake store's fence, and what people do to machines: put old copies back, clone, move. The rules are those of the
 * store room's fence, with one place. */
#include "fake_store.h"

#include "fake_inside.h"

#include <string.h>

#define ROW_KEY "fence"
enum { ROW_BYTES = 8 + 2 * TOKEN_BYTES };

/* ---- the fence ---- */

static bool same_token(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, TOKEN_BYTES) == 0;
}

/* Generation 0 and zeros where no commit was ever marked. */
static void read_row(const struct fake_store *store, struct fake_mark *now, uint8_t previous[TOKEN_BYTES])
{
    const struct fake_row *row = fake_shelf_find(&store->shelves[FOCAL_SHELF_META], focal_span_text(ROW_KEY));
    struct focal_cur cur = focal_cur_of(row ? focal_span_of(row->value->bytes, row->value->len) : focal_span_of(NULL, 0));
    now->generation = focal_cur_be64(&cur);
    focal_cur_copy(&cur, now->token, TOKEN_BYTES);
    focal_cur_copy(&cur, previous, TOKEN_BYTES);
    focal_assert(!row || focal_cur_done(&cur));
}

static enum focal_fence_verdict judge(const struct fake_store *store, const struct fake_mark *now, const uint8_t *previous)
{
    const struct fake_fence *fence = &store->fence;
    if (!store->somewhere)
        return FOCAL_FENCE_NONE;
    if (now->generation == 0)
        return FOCAL_FENCE_NEW;
    if (!fence->there)
        return FOCAL_FENCE_MISSING;
    if (strcmp(fence->machine, store->machine) != 0)
        return FOCAL_FENCE_MOVED;
    if (fence->mark.generation == now->generation && same_token(fence->mark.token, now->token))
        return FOCAL_FENCE_GOOD;
    if (fence->mark.generation + 1 == now->generation && same_token(fence->mark.token, previous))
        return FOCAL_FENCE_GOOD;
    return fence->mark.generation + 1 < now->generation ? FOCAL_FENCE_MISSING : FOCAL_FENCE_BEHIND;
}

void fake_fence_mark(struct fake_store *store, const struct fake_mark *mark)
{
    store->fence = (struct fake_fence){ .there = true, .mark = *mark };
    memcpy(store->fence.machine, store->machine, sizeof store->machine);
}

void fake_fence_start(struct fake_store *store)
{
    struct fake_mark now;
    uint8_t previous[TOKEN_BYTES];
    if (!store->keeps_fence)
        return;
    read_row(store, &now, previous);
    store->verdict = judge(store, &now, previous);
    store->gave_up = !store->somewhere;
    store->highest = now.generation;
    if (store->somewhere && store->verdict != FOCAL_FENCE_NEW && store->fence.there
        && store->fence.mark.generation > store->highest)
        store->highest = store->fence.mark.generation;
    if (store->verdict == FOCAL_FENCE_NEW || store->verdict == FOCAL_FENCE_GOOD)
        fake_fence_mark(store, &now);
}

static void put_on_machine(struct fake_store *store, const char *machine)
{
    store->somewhere = machine != NULL;
    memset(store->machine, 0, sizeof store->machine);
    if (machine) {
        focal_assert(strlen(machine) < sizeof store->machine);
        memcpy(store->machine, machine, strlen(machine));
    }
}

void focal_fake_store_fence(struct focal_store *base, struct focal_entropy entropy, const char *machine)
{
    struct fake_store *store = fake_of(base);
    focal_assert(!store->keeps_fence && !store->in_transaction && !store->is_snapshot);
    store->keeps_fence = true;
    store->entropy = entropy;
    put_on_machine(store, machine);
    fake_fence_start(store);
}

void focal_fake_store_machine(struct focal_store *base, const char *machine)
{
    fake_power_off(fake_of(base));
    put_on_machine(fake_of(base), machine);
    fake_fence_start(fake_of(base));
}

void focal_fake_store_lose_fence(struct focal_store *base)
{
    fake_power_off(fake_of(base));
    fake_of(base)->fence = (struct fake_fence){ .there = false };
    fake_fence_start(fake_of(base));
}

/* The row of the next commit. */
enum focal_status fake_fence_row(struct fake_store *store, struct fake_mark *next)
{
    struct fake_mark now;
    uint8_t previous[TOKEN_BYTES], row[ROW_BYTES];
    read_row(store, &now, previous);
    next->generation = store->highest + 1;
    store->entropy.fill(store->entropy.data, next->token, TOKEN_BYTES);
    focal_put_be64(row, next->generation);
    memcpy(row + 8, next->token, TOKEN_BYTES);
    memcpy(row + 8 + TOKEN_BYTES, now.token, TOKEN_BYTES);
    store->aside++;
    enum focal_status status =
        focal_store_put(&store->base, FOCAL_SHELF_META, focal_span_text(ROW_KEY), focal_span_of(row, sizeof row));
    store->aside--;
    return status;
}

enum focal_fence_verdict fake_fence_verdict(struct focal_store *base)
{
    return fake_of(base)->verdict;
}

/* ---- images ---- */

static void take_over_fence(struct fake_store *to, const struct fake_store *from)
{
    to->somewhere = from->somewhere;
    to->fence = from->fence;
    memcpy(to->machine, from->machine, sizeof to->machine);
}

struct focal_fake_image *focal_fake_store_backup(struct focal_store *base, bool with_fence)
{
    const struct fake_store *store = fake_of(base);
    struct focal_fake_image *image = focal_alloc(sizeof *image);
    if (!image)
        return NULL;
    image->with_fence = with_fence;
    image->disk = fake_copy_of(store->disk ? store->disk : store);
    if (!image->disk || (!store->disk && fake_take_back_in(image->disk, store) != FOCAL_OK)) {
        focal_fake_image_free(image);
        return NULL;
    }
    image->disk->entropy = store->entropy;
    image->disk->keeps_fence = store->keeps_fence;
    take_over_fence(image->disk, store);
    return image;
}

void focal_fake_image_free(struct focal_fake_image *image)
{
    if (image && image->disk)
        focal_store_close(&image->disk->base);
    focal_free(image);
}

enum focal_status focal_fake_store_restore(struct focal_store *base, const struct focal_fake_image *image)
{
    struct fake_store *store = fake_of(base), *copy = fake_copy_of(image->disk);
    if (!copy)
        return FOCAL_NO_MEMORY;
    fake_power_off(store);
    fake_swap_shelves(store, copy);
    focal_store_close(&copy->base);
    if (image->with_fence)
        take_over_fence(store, image->disk);
    fake_fence_start(store);
    return FOCAL_OK;
}

struct focal_store *focal_fake_store_clone(const struct focal_fake_image *image)
{
    struct fake_store *copy = fake_copy_of(image->disk);
    focal_assert(image->disk->keeps_fence);
    if (!copy)
        return NULL;
    copy->keeps_fence = true;
    copy->entropy = image->disk->entropy;
    take_over_fence(copy, image->disk);
    if (!image->with_fence)
        copy->fence = (struct fake_fence){ .there = false };
    fake_fence_start(copy);
    return &copy->base;
}
