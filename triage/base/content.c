/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - contiguous bytes of one object, on the heap or mapped from the spool. */
#include "base/content.h"
#include "base/io.h"
#include "base/limits.h"
#include "triage/error.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The spool file grows while content lives and is cut back as soon as nothing lies behind; freed
 * regions in between are punched out, so that deep nesting holds only what is alive. */
struct _Spool {
  int fd;
  uint64_t end;    /* first byte never given out */
  guint n_regions; /* alive */
  bool is_full;    /* a write has found no room */
  uint8_t *arena;  /* LIMIT_HEAP_OBJECT bytes for one object's own content; NULL: none yet */
  bool is_arena_taken;
};

/* Zeros that were appended without being stored. */
typedef struct {
  uint64_t from, end;
} Hole;

struct _Content {
  gatomicrefcount references;
  const uint8_t *data;
  uint64_t size;
  Content *parent; /* part: keeps the parent alive */
  uint8_t *heap;   /* to be freed */
  GArray *holes;   /* Hole, ascending; NULL: none, and of a part its parent's */
  Spool *spool;    /* mapped: where the region lies; in_arena: whose it is */
  bool in_arena;
  uint64_t region, mapped;
};

struct _ContentBuilder {
  Spool *spool;
  uint64_t max, size;
  uint64_t heap_max; /* from there on all goes to the spool */
  uint8_t *heap;     /* room bytes; NULL: none yet, or all is in the spool */
  uint64_t room;
  bool in_arena; /* heap is the spool's arena */
  GArray *holes; /* Hole; NULL: none */
  bool is_spooled;
  uint64_t region;
  uint8_t *lent; /* what is read for the spool, or does not all fit; NULL until it is needed */
  size_t n_lent;
  bool is_lent; /* the bytes at hand are there */
};

static uint64_t page_up(uint64_t n) {
  return (n + 4095) & ~UINT64_C(4095);
}

Spool *spool_new(int fd) {
  Spool *spool = g_new0(Spool, 1);
  spool->fd = fd;
  return spool;
}

void spool_free(Spool *spool) {
  if (spool == NULL)
    return;
  if (spool->fd >= 0)
    close(spool->fd);
  if (spool->arena != NULL)
    munmap(spool->arena, LIMIT_HEAP_OBJECT);
  g_free(spool);
}

static void spool_release(Spool *spool, uint64_t region, uint64_t length) {
  g_assert(spool->n_regions > 0);
  if (--spool->n_regions == 0) {
    spool->end = 0;
    if (ftruncate(spool->fd, 0) != 0)
      g_debug("spool cannot be cut: %s", g_strerror(errno));
  } else if (region + length == spool->end) {
    spool->end = region;
    if (ftruncate(spool->fd, (off_t)region) != 0)
      g_debug("spool cannot be cut: %s", g_strerror(errno));
  } else if (length > 0) {
    (void)fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)region,
                    (off_t)length);
  }
}

ContentBuilder *content_builder_new(Spool *spool, uint64_t max) {
  ContentBuilder *builder = g_new0(ContentBuilder, 1);
  builder->spool = spool;
  builder->max = max;
  builder->heap_max = LIMIT_HEAP_CONTENT;
  return builder;
}

/* One stretch of memory for all objects, one after the other: given back and taken again, the
 * kernel would clear each of its pages once more. Under AddressSanitizer each has its own, with its
 * ends watched. */
static bool take_arena(ContentBuilder *builder) {
#ifdef __SANITIZE_ADDRESS__
  (void)builder;
  return false;
#else
  Spool *spool = builder->spool;
  if (spool == NULL || spool->is_arena_taken)
    return false;
  if (spool->arena == NULL) {
    void *arena = mmap(NULL, LIMIT_HEAP_OBJECT, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
      return false;
    (void)madvise(arena, LIMIT_HEAP_OBJECT, MADV_HUGEPAGE);
    spool->arena = arena;
  }
  builder->heap = spool->arena;
  builder->in_arena = spool->is_arena_taken = true;
  return true;
#endif
}

void content_builder_expect(ContentBuilder *builder, uint64_t n) {
  if (n == 0 || n > MIN(builder->max, LIMIT_HEAP_OBJECT) || builder->heap != NULL)
    return;
  if (take_arena(builder)) /* of images within images each has one to read */
    builder->heap_max = MAX(n, builder->heap_max);
  else if (n <= builder->heap_max)
    builder->heap = g_malloc(n);
  else
    return;
  builder->room = n;
}

/* Makes room for n bytes in all, at most heap_max. */
static void heap_grow(ContentBuilder *builder, uint64_t n) {
  if (n <= builder->room)
    return;
  uint64_t room = MAX(n, MIN(2 * builder->room, builder->heap_max));
  if (!builder->in_arena)
    builder->heap = g_realloc(builder->heap, room);
  builder->room = room;
}

static void heap_drop(ContentBuilder *builder) {
  if (builder->in_arena)
    builder->spool->is_arena_taken = false;
  else
    g_free(builder->heap);
  builder->heap = NULL;
  builder->room = 0;
  builder->in_arena = false;
}

uint64_t content_builder_size(const ContentBuilder *builder) {
  return builder->size;
}

/* The machine's want of room says nothing of the evidence: whoever owns the spool stops. */
static gboolean spool_fails(Spool *spool, GError **error) {
  spool->is_full = true;
  return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                     "the spool file in the case directory cannot grow: %s", g_strerror(errno));
}

bool spool_is_full(const Spool *spool) {
  return spool != NULL && spool->is_full;
}

/* Two builders may grow at once (a container's member and its view): each reserves a stretch of the
 * file's address space as long as it may become; what is not written stays a hole. */
static bool move_to_spool(ContentBuilder *builder, GError **error) {
  Spool *spool = builder->spool;
  if (spool == NULL || spool->fd < 0)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                       "content over %llu bytes needs a spool file, and there is none",
                       (unsigned long long)builder->heap_max);
  builder->region = spool->end;
  uint64_t reserve;
  if (!g_uint64_checked_add(&reserve, spool->end, page_up(MIN(builder->max, LIMIT_OBJECT_BYTES))) ||
      reserve > 64 * TIB)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT, "the spool file is full");
  spool->end = reserve;
  spool->n_regions++;
  builder->is_spooled = true;
  if (pwrite(spool->fd, builder->heap, builder->size, (off_t)builder->region) !=
      (ssize_t)builder->size)
    return spool_fails(spool, error);
  heap_drop(builder);
  return true;
}

static bool write_spool(ContentBuilder *builder, const uint8_t *bytes, size_t n, GError **error) {
  size_t done = 0;
  while (done < n) {
    ssize_t written = pwrite(builder->spool->fd, bytes + done, n - done,
                             (off_t)(builder->region + builder->size));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return spool_fails(builder->spool, error);
    done += (size_t)written;
    builder->size += (uint64_t)written;
  }
  return true;
}

bool content_builder_append(ContentBuilder *builder, const void *bytes, size_t n, GError **error) {
  uint64_t room = builder->max - builder->size;
  size_t take = n < room ? n : (size_t)room;
  if (!builder->is_spooled && builder->size + take > builder->heap_max &&
      !move_to_spool(builder, error))
    return false;
  if (builder->is_spooled) {
    if (!write_spool(builder, bytes, take, error))
      return false;
  } else if (take > 0) {
    heap_grow(builder, builder->size + take);
    memcpy(builder->heap + builder->size, bytes, take);
    builder->size += take;
  }
  if (take < n)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                       "content is longer than the %llu bytes allowed",
                       (unsigned long long)builder->max);
  return true;
}

uint8_t *content_builder_room(ContentBuilder *builder, uint64_t n) {
  if (builder->is_spooled || n > builder->max - builder->size ||
      builder->size + n > builder->heap_max)
    return NULL;
  heap_grow(builder, MAX(builder->size + n, 1));
  return builder->heap + builder->size;
}

void content_builder_filled(ContentBuilder *builder, uint64_t n) {
  builder->size += n;
}

uint8_t *content_builder_lend(ContentBuilder *builder, size_t n) {
  uint8_t *room = content_builder_room(builder, n);
  builder->is_lent = room == NULL;
  if (room != NULL)
    return room;
  if (builder->n_lent < n) {
    g_free(builder->lent);
    builder->lent = g_malloc(n);
    builder->n_lent = n;
  }
  return builder->lent;
}

bool content_builder_keep(ContentBuilder *builder, size_t n, GError **error) {
  if (builder->is_lent)
    return content_builder_append(builder, builder->lent, n, error);
  content_builder_filled(builder, n);
  return true;
}

/* Small holes are bytes like others, and so are those behind very many. */
static void note_hole(ContentBuilder *builder, uint64_t from, uint64_t end) {
  if (builder->holes == NULL)
    builder->holes = g_array_new(FALSE, FALSE, sizeof(Hole));
  Hole *last = builder->holes->len > 0
                   ? &g_array_index(builder->holes, Hole, builder->holes->len - 1)
                   : NULL;
  const Hole hole = {from, end};
  if (last != NULL && last->end == from)
    last->end = end;
  else if (end - from >= LIMIT_HOLE_NOTED && builder->holes->len < LIMIT_HOLES_NOTED)
    g_array_append_val(builder->holes, hole);
}

bool content_builder_append_zeros(ContentBuilder *builder, uint64_t n, GError **error) {
  uint64_t room = builder->max - builder->size, take = MIN(n, room);
  if (!builder->is_spooled && builder->size + take > builder->heap_max &&
      !move_to_spool(builder, error))
    return false;
  note_hole(builder, builder->size, builder->size + take);
  if (builder->is_spooled) {
    builder->size += take; /* a hole: finish sets the file's length */
  } else if (take > 0) {
    heap_grow(builder, builder->size + take);
    memset(builder->heap + builder->size, 0, (size_t)take);
    builder->size += take;
  }
  if (take < n)
    return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                       "content is longer than the %llu bytes allowed",
                       (unsigned long long)builder->max);
  return true;
}

static Content *content_new(void) {
  Content *content = g_new0(Content, 1);
  g_atomic_ref_count_init(&content->references);
  content->data = (const uint8_t *)"";
  return content;
}

/* Reading a hole of the file would make the kernel fill a page of memory for each of its pages; one
 * that is mapped as nothing is the kernel's own page of zeros, over and over. False where that
 * failed: what is mapped is then not to be used. */
static bool map_holes(uint8_t *mapped, const GArray *holes) {
  for (guint i = 0; holes != NULL && i < holes->len; i++) {
    const Hole *hole = &g_array_index(holes, Hole, i);
    uint64_t from = page_up(hole->from), end = hole->end & ~UINT64_C(4095);
    if (end < from + LIMIT_HOLE_MAPPED)
      continue;
    void *zeros = mmap(mapped + from, end - from, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED)
      return false;
  }
  return true;
}

static Content *map_region(ContentBuilder *builder, GError **error) {
  Spool *spool = builder->spool;
  uint64_t length = page_up(builder->size), end = builder->region + length;
  /* What was reserved and not used goes back, unless another builder has reserved behind it. */
  if (builder->region + page_up(MIN(builder->max, LIMIT_OBJECT_BYTES)) == spool->end)
    spool->end = end;
  if (lseek(spool->fd, 0, SEEK_END) < (off_t)end && ftruncate(spool->fd, (off_t)end) != 0) {
    triage_fail(error, TRIAGE_REASON_SIZE_LIMIT,
                "the spool file in the case directory cannot grow: %s", g_strerror(errno));
    return NULL;
  }
  /* All of it will be read: its pages are mapped at once, not one by one as each is met. */
  bool is_filled = builder->holes == NULL && length <= LIMIT_SPOOL_MAPPED;
  void *mapped =
      mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_NORESERVE | (is_filled ? MAP_POPULATE : 0),
           spool->fd, (off_t)builder->region);
  if (mapped != MAP_FAILED && !map_holes(mapped, builder->holes)) {
    munmap(mapped, length);
    mapped = mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_NORESERVE, spool->fd,
                  (off_t)builder->region);
  }
  if (mapped == MAP_FAILED) {
    triage_fail(error, TRIAGE_REASON_OUT_OF_MEMORY, "%llu bytes cannot be mapped: %s",
                (unsigned long long)length, g_strerror(errno));
    return NULL;
  }
  Content *content = content_new();
  content->data = mapped;
  content->mapped = length;
  content->region = builder->region;
  content->spool = spool;
  builder->is_spooled = false; /* the region is the content's now */
  return content;
}

Content *content_builder_finish(ContentBuilder *builder, GError **error) {
  Content *content;
  if (builder->is_spooled) {
    content = map_region(builder, error);
  } else {
    content = content_new();
    content->in_arena = builder->in_arena;
    content->spool = builder->spool;
    content->heap = builder->in_arena ? NULL : builder->heap;
    if (builder->heap != NULL)
      content->data = builder->heap;
    builder->heap = NULL; /* the content's now */
    builder->in_arena = false;
  }
  if (content != NULL) {
    content->size = builder->size;
    content->holes = g_steal_pointer(&builder->holes);
  }
  content_builder_free(builder);
  return content;
}

void content_builder_free(ContentBuilder *builder) {
  if (builder == NULL)
    return;
  if (builder->is_spooled)
    spool_release(builder->spool, builder->region, page_up(MIN(builder->max, LIMIT_OBJECT_BYTES)));
  heap_drop(builder);
  g_clear_pointer(&builder->holes, g_array_unref);
  g_free(builder->lent);
  g_free(builder);
}

Content *content_new_copy(const void *bytes, size_t n) {
  Content *content = content_new();
  if (n > 0) {
    content->heap = g_memdup2(bytes, n);
    content->data = content->heap;
  }
  content->size = n;
  return content;
}

Content *content_new_part(Content *parent, uint64_t offset, uint64_t n) {
  g_assert(offset <= parent->size && n <= parent->size - offset);
  Content *content = content_new();
  content->parent = content_ref(parent);
  content->data = parent->data + offset;
  content->size = n;
  return content;
}

Content *content_ref(Content *content) {
  g_atomic_ref_count_inc(&content->references);
  return content;
}

void content_unref(Content *content) {
  if (content == NULL || !g_atomic_ref_count_dec(&content->references))
    return;
  if (content->mapped > 0) {
    munmap((void *)content->data, content->mapped);
    spool_release(content->spool, content->region, content->mapped);
  }
  if (content->in_arena)
    content->spool->is_arena_taken = false;
  g_free(content->heap);
  g_clear_pointer(&content->holes, g_array_unref);
  content_unref(content->parent);
  g_free(content);
}

const uint8_t *content_data(const Content *content) {
  return content->data;
}

uint64_t content_size(const Content *content) {
  return content->size;
}

bool content_next_hole(const Content *content, uint64_t at, uint64_t *from, uint64_t *end) {
  const Content *owner = content;
  while (owner->parent != NULL)
    owner = owner->parent;
  if (owner->holes == NULL)
    return false;
  uint64_t shift = (uint64_t)(content->data - owner->data);
  guint low = 0, high = owner->holes->len;
  while (low < high) { /* the first that ends behind at */
    guint middle = low + (high - low) / 2;
    if (g_array_index(owner->holes, Hole, middle).end <= shift + at)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == owner->holes->len)
    return false;
  const Hole *hole = &g_array_index(owner->holes, Hole, low);
  if (at >= content->size || hole->from >= shift + content->size)
    return false;
  *from = MAX(hole->from, shift + at) - shift;
  *end = MIN(hole->end - shift, content->size);
  return true;
}

bool content_next_filled(const Content *content, uint64_t margin, uint64_t *at, uint64_t *end) {
  uint64_t from, stop, next = *at;
  bool is_near = margin <= LIMIT_HOLE_NOTED / 4;
  if (*at >= content->size)
    return false;
  if (is_near && content_next_hole(content, *at, &from, &stop) && from == *at) {
    if (stop == content->size)
      return false;
    *at = MAX(*at, stop - MIN(margin, stop));
    next = stop;
  }
  bool has_next = is_near && content_next_hole(content, next, &from, &stop);
  *end = has_next ? MIN(from + margin, content->size) : content->size;
  return true;
}

/* memmem, of which this was a thirtieth of a scan: sixteen places at a time whose first and last
 * byte are the text's. */
static const uint8_t *find_text(const uint8_t *data, uint64_t size, const uint8_t *text, size_t n) {
#ifdef __SSE2__
  const __m128i first = _mm_set1_epi8((char)text[0]), last = _mm_set1_epi8((char)text[n - 1]);
  for (; size >= n + 15; data += 16, size -= 16) {
    const __m128i starts = _mm_loadu_si128((const __m128i *)(const void *)data);
    const __m128i ends = _mm_loadu_si128((const __m128i *)(const void *)(data + n - 1));
    unsigned places = (unsigned)_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(starts, first), _mm_cmpeq_epi8(ends, last)));
    for (; places != 0; places &= places - 1) {
      const uint8_t *place = data + __builtin_ctz(places);
      if (memcmp(place, text, n) == 0)
        return place;
    }
  }
#endif
  return memmem(data, (size_t)size, text, n);
}

uint64_t content_find(const Content *content, uint64_t from, const void *text, size_t n) {
  uint64_t end;
  for (uint64_t at = from; content_next_filled(content, n - 1, &at, &end); at = end) {
    const uint8_t *found = find_text(content->data + at, end - at, text, n);
    if (found != NULL)
      return (uint64_t)(found - content->data);
  }
  return content->size;
}
