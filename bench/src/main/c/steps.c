// Counts the instructions that a thread executes per command, exactly and without hardware
// counters. Single-steps the thread and sums up how far its submission queue's doorbell (memory)
// advances meanwhile. usage: steps TID DOORBELL-ADDRESS QUEUE-ENTRIES STEPS

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: steps TID DOORBELL-ADDRESS QUEUE-ENTRIES STEPS\n");
        return 1;
    }
    pid_t tid = (pid_t) strtol(argv[1], NULL, 0);
    off_t doorbell = (off_t) strtoull(argv[2], NULL, 0);
    uint32_t entries = (uint32_t) strtoul(argv[3], NULL, 0);
    int64_t wanted = strtoll(argv[4], NULL, 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", tid);
    int memory = open(path, O_RDONLY);
    if (memory < 0) {
        fail(path);
    }
    if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) {
        fail("ptrace");
    }
    int status;
    if (waitpid(tid, &status, __WALL) != tid) {
        fail("waitpid");
    }
    int64_t commands = 0, steps = 0, first = -1;
    uint32_t last = 0;
    // from one change of the doorbell to a later one, so that only whole commands are counted
    for (int64_t i = 0; i < wanted; i++) {
        uint32_t now;
        if (pread(memory, &now, sizeof now, doorbell) != sizeof now) {
            fail("reading the doorbell");
        }
        if (i > 0 && now != last) {
            if (first >= 0) {
                commands += (now + entries - last) % entries;
                steps = i - first;
            } else {
                first = i;
            }
        }
        last = now;
        int deliver = 0;
        if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP && status >> 16 == 0) {
            deliver = WSTOPSIG(status);
        }
        if (ptrace(PTRACE_SINGLESTEP, tid, 0, deliver) != 0 || waitpid(tid, &status, __WALL) != tid
                || !WIFSTOPPED(status)) {
            fail("stepping");
        }
    }
    ptrace(PTRACE_DETACH, tid, 0, 0);
    printf("%" PRId64 " %" PRId64 "\n", steps, commands);
    return 0;
}
