/* A disk that takes 2 ms to say that something is safe, as an honest one does; loaded before all others (LD_PRELOAD). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

#define DELAY_US 2000

static int late(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    usleep(DELAY_US);
    return real(fd);
}

int fsync(int fd) { return late("fsync", fd); }
int fdatasync(int fd) { return late("fdatasync", fd); }
