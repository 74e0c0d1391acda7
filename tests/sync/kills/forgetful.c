/* A disk that forgets what was not synced, as a library that is loaded before all others (LD_PRELOAD).

   Of every file below FORGETFUL_ROOT a copy is kept in FORGETFUL_KEPT as it was at its last fsync or fdatasync. A
   rename counts once its folder was synced, a removal at once. What a power failure leaves is what lies in the copy. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_MAX 256

static struct { char from[PATH_MAX], to[PATH_MAX]; } pending[PENDING_MAX];
static int pending_count;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int kept_name(const char *path, char *out) {
    const char *root = getenv("FORGETFUL_ROOT"), *kept = getenv("FORGETFUL_KEPT");
    if (!root || !kept || strncmp(path, root, strlen(root)) || path[strlen(root)] != '/') return 0;
    int at = snprintf(out, PATH_MAX, "%s/", kept);
    for (const char *c = path + strlen(root) + 1; *c && at < PATH_MAX - 1; c++) out[at++] = *c == '/' ? '%' : *c;
    out[at] = 0;
    return 1;
}

static void copy(int fd, const char *to) {
    char part[PATH_MAX + 8], own[64], buffer[1 << 16];
    snprintf(part, sizeof part, "%s.part", to);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    int in = open(own, O_RDONLY), out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t got = 0;
    while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, got) != got) abort();
    if (in < 0 || out < 0 || got < 0) abort();
    close(in);
    close(out);
    ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(part, to); /* a kill finds the old copy or the new */
}

static void settle_renames(const char *folder) {
    int left = 0;
    for (int i = 0; i < pending_count; i++) {
        size_t length = strlen(folder);
        if (!strncmp(pending[i].to, folder, length) && !strchr(pending[i].to + length + 1, '/')) {
            char from[PATH_MAX], to[PATH_MAX];
            if (kept_name(pending[i].from, from) && kept_name(pending[i].to, to))
                ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
        } else pending[left++] = pending[i];
    }
    pending_count = left;
}

static void synced(int fd) {
    char own[64], path[PATH_MAX], to[PATH_MAX];
    struct stat about;
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(own, path, sizeof path - 1);
    if (length <= 0 || fstat(fd, &about)) return;
    path[length] = 0;
    pthread_mutex_lock(&one_at_a_time);
    if (S_ISDIR(about.st_mode)) settle_renames(path);
    else if (kept_name(path, to)) copy(fd, to);
    pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int fd) {
    int done = ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
    if (!done) synced(fd);
    return done;
}

int fdatasync(int fd) {
    int done = ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
    if (!done) synced(fd);
    return done;
}

int rename(const char *from, const char *to) {
    int done = ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
    char kept[PATH_MAX];
    if (!done && kept_name(from, kept)) {
        pthread_mutex_lock(&one_at_a_time);
        if (pending_count == PENDING_MAX) abort();
        snprintf(pending[pending_count].from, PATH_MAX, "%s", from);
        snprintf(pending[pending_count++].to, PATH_MAX, "%s", to);
        pthread_mutex_unlock(&one_at_a_time);
    }
    return done;
}

int unlink(const char *path) {
    int done = ((int (*)(const char *))dlsym(RTLD_NEXT, "unlink"))(path);
    char kept[PATH_MAX];
    if (!done && kept_name(path, kept)) ((int (*)(const char *))dlsym(RTLD_NEXT, "unlink"))(kept);
    return done;
}
