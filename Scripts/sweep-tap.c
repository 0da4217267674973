// Counts the calls by which a program changes anything outside itself, over all its threads, and at one of them kills
// the program or lets the call fail. strace counts for each thread apart, so that it would not come by every point.
//
// Preloaded; the file named by SWEEP_TAP is shared with the sweep, which arms it and reads the counts.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT = 0, KILL_BEFORE = 1, KILL_AFTER = 2, FAIL = 3, SKIP = 4 };
enum { PWRITE, WRITE, WRITEV, SENDTO, SENDMSG, FSYNC, FDATASYNC, FTRUNCATE, RENAME, UNLINK, FALLOCATE };
enum { TRACE = 8192 };

struct tap {
    _Atomic uint32_t armed, mask, files_only, action, first, last, error;
    _Atomic uint32_t count, hits;
    _Atomic uint8_t trace[TRACE];
};

static struct tap *tap;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SWEEP_TAP");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *shared = mmap(NULL, sizeof *tap, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED) tap = shared;
    unsetenv("SWEEP_TAP");
    unsetenv("LD_PRELOAD");
}

// Whether the call is not to be made; does not return when the program is to die before it.
static int before(int call, int fd, int *dies) {
    *dies = 0;
    if (!tap || !tap->armed || !(tap->mask >> call & 1) || (fd >= 0 && fd <= 2)) return 0;
    if (fd >= 0 && tap->files_only) {
        struct stat about;
        if (fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    }
    uint32_t number = atomic_fetch_add(&tap->count, 1) + 1;
    if (number <= TRACE) tap->trace[number - 1] = (uint8_t)(call + 1);
    if (number < tap->first || number > tap->last || tap->action == COUNT) return 0;
    atomic_fetch_add(&tap->hits, 1);
    if (tap->action == KILL_BEFORE) kill(getpid(), SIGKILL);
    *dies = tap->action == KILL_AFTER;
    return tap->action == FAIL || tap->action == SKIP;
}

#define TAPPED(type, name, call, fd, parameters, ...)                                                  \
    type name parameters {                                                                             \
        static type(*_Atomic real) parameters;                                                         \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                 \
        int dies;                                                                                      \
        if (before(call, fd, &dies)) {                                                                 \
            if (tap->action == SKIP) return 0;                                                         \
            errno = (int)tap->error;                                                                   \
            return -1;                                                                                 \
        }                                                                                              \
        type result = real(__VA_ARGS__);                                                               \
        if (dies) kill(getpid(), SIGKILL);                                                             \
        return result;                                                                                 \
    }

TAPPED(ssize_t, pwrite, PWRITE, fd, (int fd, const void *data, size_t size, off_t at), fd, data, size, at)
TAPPED(ssize_t, pwrite64, PWRITE, fd, (int fd, const void *data, size_t size, off64_t at), fd, data, size, at)
TAPPED(ssize_t, write, WRITE, fd, (int fd, const void *data, size_t size), fd, data, size)
TAPPED(ssize_t, writev, WRITEV, fd, (int fd, const struct iovec *parts, int count), fd, parts, count)
TAPPED(ssize_t, send, SENDTO, fd, (int fd, const void *data, size_t size, int flags), fd, data, size, flags)
TAPPED(ssize_t, sendto, SENDTO, fd,
       (int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length), fd, data, size,
       flags, to, length)
TAPPED(ssize_t, sendmsg, SENDMSG, fd, (int fd, const struct msghdr *message, int flags), fd, message, flags)
TAPPED(int, fsync, FSYNC, fd, (int fd), fd)
TAPPED(int, fdatasync, FDATASYNC, fd, (int fd), fd)
TAPPED(int, ftruncate, FTRUNCATE, fd, (int fd, off_t size), fd, size)
TAPPED(int, ftruncate64, FTRUNCATE, fd, (int fd, off64_t size), fd, size)
TAPPED(int, fallocate, FALLOCATE, fd, (int fd, int mode, off_t at, off_t size), fd, mode, at, size)
TAPPED(int, fallocate64, FALLOCATE, fd, (int fd, int mode, off64_t at, off64_t size), fd, mode, at, size)
TAPPED(int, rename, RENAME, -1, (const char *from, const char *to), from, to)
TAPPED(int, unlink, UNLINK, -1, (const char *path), path)

// Says its error instead of setting it.
int posix_fallocate(int fd, off_t at, off_t size) {
    static int (*_Atomic real)(int, off_t, off_t);
    if (!real) real = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");
    int dies;
    if (before(FALLOCATE, fd, &dies)) return tap->action == SKIP ? 0 : (int)tap->error;
    int result = real(fd, at, size);
    if (dies) kill(getpid(), SIGKILL);
    return result;
}
