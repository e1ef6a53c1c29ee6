// The hot path of an NVMe driver in C, on a device whose I/O costs nothing, like DriverLoop in Java.
// 64-byte submission entries with PRPs, a doorbell for each batch in both directions, completions
// found by phase tag. With CHECKS it also makes the checks of the Java driver: slot and range,
// one command per slot, sequence number in the identifier, queue and head in the completion, the
// thread that owns the queue, and whether a callback has ended it.
//
// A line "BATCH COMMANDS" on standard input runs that many commands; the answer is "NANOS".

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { QID = 1, BLOCKS = 8, BLOCK_SHIFT = 9, PAGE = 4096, READ = 2, MAX_SLOTS = 1024 };
static const uint64_t PHASE = (uint64_t) 1 << 48;

struct sqe {
    uint32_t cdw0, nsid;
    uint64_t cdw2, mptr, prp1, prp2, cdw10, cdw12, cdw14;
};

struct cqe {
    uint64_t result;
    uint64_t dw23;
};

typedef void completed_fn(void *context, int slot, int status);

struct queue {
    void *owner; // thread pointer, null when the queue has ended
    struct sqe *sq;
    struct cqe *cq;
    volatile uint32_t *sq_tail, *cq_head;
    uint32_t mask, depth, tag_mask;
    uint32_t posted, rung, taken, rung_taken, free_top;
    uint64_t phase;
    uint16_t free[MAX_SLOTS];
    int32_t cid_of[MAX_SLOTS], cookie_of[MAX_SLOTS];
    uint32_t posted_at[MAX_SLOTS];
};

struct port {
    struct queue queue;
    uint32_t nsid;
    int slots;
    int64_t blocks;
    uint64_t prp1_of[MAX_SLOTS], list_of[MAX_SLOTS];
    int bytes_of[MAX_SLOTS], tag_of[MAX_SLOTS];
};

static inline void ring_doorbell(volatile uint32_t *doorbell, uint32_t value) {
    atomic_thread_fence(memory_order_release);
    *doorbell = value;
}

static inline int post(struct queue *q, int opcode, uint32_t nsid, uint64_t prp1, uint64_t prp2,
                       uint64_t lba, uint32_t cdw12, int cookie) {
    if (q->free_top == 0) {
        return -1;
    }
    int tag = q->free[--q->free_top];
#ifdef CHECKS
    int32_t cid = (~q->cid_of[tag] + q->tag_mask + 1) & 0xffff;
    q->cid_of[tag] = cid;
    q->posted_at[tag] = q->posted;
#else
    int32_t cid = tag;
#endif
    q->cookie_of[tag] = cookie;
    struct sqe *e = &q->sq[q->posted++ & q->mask];
    e->cdw0 = (uint32_t) cid << 16 | opcode;
    e->nsid = nsid;
    e->cdw2 = 0;
    e->mptr = 0;
    e->prp1 = prp1;
    e->prp2 = prp2;
    e->cdw10 = lba;
    e->cdw12 = cdw12;
    e->cdw14 = 0;
    return tag;
}

static inline bool submit(struct port *p, int opcode, int slot, int64_t lba, int blocks) {
    int bytes = blocks << BLOCK_SHIFT;
#ifdef CHECKS
    if (slot < 0 || slot >= p->slots || blocks <= 0 || blocks > p->bytes_of[slot] >> BLOCK_SHIFT
            || lba < 0 || lba > p->blocks - blocks) {
        abort();
    }
    int last = p->tag_of[slot];
    if (p->queue.cid_of[last] >= 0 && p->queue.cookie_of[last] == slot) {
        abort();
    }
#endif
    uint64_t prp1 = p->prp1_of[slot];
    uint64_t second = (prp1 & -(uint64_t) PAGE) + PAGE;
    uint64_t end = prp1 + bytes;
    uint64_t prp2 = end <= second ? 0 : end <= second + PAGE ? second : p->list_of[slot];
    int tag = post(&p->queue, opcode, p->nsid, prp1, prp2, lba, blocks - 1, slot);
    if (tag < 0) {
        return false;
    }
#ifdef CHECKS
    p->tag_of[slot] = tag;
#endif
    return true;
}

static inline void ring(struct queue *q) {
#ifdef CHECKS
    if (q->owner != __builtin_thread_pointer()) {
        abort();
    }
#endif
    if (q->rung != q->posted) {
        q->rung = q->posted;
        ring_doorbell(q->sq_tail, q->posted & q->mask);
    }
}

static inline int poll(struct queue *q, int max, completed_fn *completed, void *context) {
    int n = 0;
#ifdef CHECKS
    if (q->owner != __builtin_thread_pointer()) {
        abort();
    }
#endif
    while (n < max) {
        uint64_t dw23 = __atomic_load_n(&q->cq[q->taken & q->mask].dw23, __ATOMIC_ACQUIRE);
        if ((dw23 & PHASE) != q->phase) {
            break;
        }
        uint32_t cid = (uint32_t) (dw23 >> 32) & 0xffff;
        uint32_t tag = cid & q->tag_mask;
#ifdef CHECKS
        if (tag >= q->depth || q->cid_of[tag] != (int32_t) cid) {
            abort();
        }
        uint32_t sqhd = (uint32_t) dw23 & 0xffff;
        int behind = (int) ((q->rung - sqhd) & q->mask);
        if ((uint32_t) dw23 >> 16 != QID || sqhd > q->mask
                || behind > (int) (q->rung - q->posted_at[tag] - 1)) {
            abort();
        }
        q->cid_of[tag] = (int32_t) ~cid;
#endif
        q->free[q->free_top++] = tag;
        if ((++q->taken & q->mask) == 0) {
            q->phase ^= PHASE;
        }
        n++;
        completed(context, q->cookie_of[tag], (int) (dw23 >> 49));
#ifdef CHECKS
        if (q->owner == NULL) {
            return n;
        }
#endif
    }
    if (q->taken != q->rung_taken) {
        q->rung_taken = q->taken;
        ring_doorbell(q->cq_head, q->taken & q->mask);
    }
    return n;
}

struct device {
    struct queue *queue;
    uint32_t head; // head of the submission queue and tail of the completion queue
    uint64_t phase;
};

// Completes all commands that the doorbell announces.
static inline void play(struct device *d) {
    struct queue *q = d->queue;
    uint32_t tail = __atomic_load_n(q->sq_tail, __ATOMIC_ACQUIRE);
    while (d->head != tail) {
        uint64_t cid = *(volatile uint32_t *) &q->sq[d->head].cdw0 >> 16;
        uint32_t next = (d->head + 1) & q->mask;
        uint64_t dw23 = d->phase | cid << 32 | QID << 16 | next;
        __atomic_store_n(&q->cq[d->head].dw23, dw23, __ATOMIC_RELAXED);
        d->head = next;
        if (next == 0) {
            d->phase ^= PHASE;
        }
    }
}

struct count {
    uint64_t completed, failed;
};

static void count(void *context, int slot, int status) {
    struct count *c = context;
    (void) slot;
    c->completed++;
    c->failed += status == 0 ? 0 : 1;
}

static void open_port(struct port *p, uint32_t depth) {
    struct queue *q = &p->queue;
    uint32_t *doorbells = aligned_alloc(PAGE, PAGE);
    q->owner = __builtin_thread_pointer();
    q->depth = depth;
    q->tag_mask = q->mask = (1u << (32 - __builtin_clz(depth))) - 1;
    q->sq = aligned_alloc(PAGE, 16 * PAGE);
    q->cq = aligned_alloc(PAGE, 16 * PAGE);
    if (doorbells == NULL || q->sq == NULL || q->cq == NULL) {
        abort();
    }
    memset(q->sq, 0, 16 * PAGE);
    memset(q->cq, 0, 16 * PAGE);
    memset(doorbells, 0, PAGE);
    q->sq_tail = doorbells + 2 * QID;
    q->cq_head = doorbells + 2 * QID + 1;
    q->phase = PHASE;
    q->free_top = depth;
    for (uint32_t tag = 0; tag < depth; tag++) {
        q->cid_of[tag] = (int32_t) ~tag;
        q->free[depth - 1 - tag] = tag;
    }
    p->nsid = 1;
    p->slots = (int) depth;
    p->blocks = 131072;
    for (uint32_t slot = 0; slot < depth; slot++) {
        p->prp1_of[slot] = 0x100000000 + (uint64_t) slot * PAGE;
        p->bytes_of[slot] = PAGE;
    }
}

// Not inlined, with a callback unknown to the compiler, as in the use of a library.
static __attribute__((noinline)) void run_single(struct port *p, struct device *d, struct count *c,
                                                 completed_fn *completed, int64_t commands) {
    for (int64_t done = 0; done < commands; done++) {
        if (!submit(p, READ, 0, done & 0xffff, BLOCKS)) {
            abort();
        }
        ring(&p->queue);
        play(d);
        if (poll(&p->queue, 1, completed, c) != 1) {
            abort();
        }
    }
}

static __attribute__((noinline)) void run_batches(struct port *p, struct device *d, struct count *c,
                                                  completed_fn *completed, int batch,
                                                  int64_t commands) {
    for (int64_t done = 0; done < commands; done += batch) {
        int64_t lba = done & 0xffff;
        for (int slot = 0; slot < batch; slot++) {
            if (!submit(p, READ, slot, lba, BLOCKS)) {
                abort();
            }
        }
        ring(&p->queue);
        play(d);
        if (poll(&p->queue, batch, completed, c) != batch) {
            abort();
        }
    }
}

int main(int argc, char **argv) {
    int depth = argc > 1 ? atoi(argv[1]) : 32;
    if (depth < 1 || depth >= MAX_SLOTS) {
        fprintf(stderr, "usage: driver DEPTH (1 to %d)\n", MAX_SLOTS - 1);
        return 1;
    }
    struct port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        abort();
    }
    open_port(port, (uint32_t) depth);
    struct device device = {&port->queue, 0, PHASE};
    struct count counted = {0, 0};
    completed_fn *volatile callback = count;
    printf("%ld %" PRIuPTR " %d\n", syscall(SYS_gettid), (uintptr_t) port->queue.sq_tail,
           port->queue.mask + 1);
    fflush(stdout);
    int batch;
    int64_t commands;
    while (scanf("%d %" SCNd64, &batch, &commands) == 2) {
        if (batch < 1 || batch > depth) {
            return 1;
        }
        struct timespec a, b;
        uint64_t before = counted.completed;
        clock_gettime(CLOCK_MONOTONIC, &a);
        if (batch == 1) {
            run_single(port, &device, &counted, callback, commands);
        } else {
            run_batches(port, &device, &counted, callback, batch, commands);
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        if (counted.failed != 0 || counted.completed - before < (uint64_t) commands) {
            abort();
        }
        printf("%" PRId64 "\n",
               (int64_t) (b.tv_sec - a.tv_sec) * 1000000000 + (b.tv_nsec - a.tv_nsec));
        fflush(stdout);
    }
    return 0;
}
