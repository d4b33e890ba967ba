/* Notes, in the order in which it happens, what one process writes to the database FAULTS_DISK_FILE and to its
   journal, and when it syncs them, in the file FAULTS_DISK_LOG. disk.rs reads it, and has the format. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 3 };
struct head { uint32_t kind, file; uint64_t offset, length; };

static const char *database;
static int journal = -1;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULTS_DISK_LOG");
    database = getenv("FAULTS_DISK_FILE");
    if (name && database) journal = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* 1 the database, 2 its journal, 0 anything else. */
static uint32_t which(int fd) {
    if (journal < 0) return 0;
    int before = errno;
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    size_t stem = strlen(database);
    if (strncmp(path, database, stem) != 0) return 0;
    return path[stem] == 0 ? 1 : strcmp(path + stem, "-wal") == 0 ? 2 : 0;
}

/* One call of the system, so that it is there whole, and in its place among the others. */
static void note(uint32_t kind, uint32_t file, uint64_t offset, const void *data, uint64_t length) {
    struct head head = {kind, file, offset, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    int before = errno;
    if (syscall(SYS_writev, journal, parts, data ? 2 : 1) < 0) abort();
    errno = before;
}

ssize_t write(int fd, const void *data, size_t length) {
    uint32_t file = which(fd);
    if (file) note(WRITE, file, (uint64_t)lseek(fd, 0, SEEK_CUR), data, length);
    return syscall(SYS_write, fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    uint32_t file = which(fd);
    if (file) note(WRITE, file, (uint64_t)offset, data, length);
    return syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return pwrite(fd, data, length, offset);
}

int ftruncate(int fd, off_t length) {
    uint32_t file = which(fd);
    if (file) note(TRUNCATE, file, (uint64_t)length, 0, 0);
    return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate64(int fd, off64_t length) {
    return ftruncate(fd, length);
}

/* Noted after it is done, and before the caller knows. */
static int synced(int fd, long failed) {
    uint32_t file = failed == 0 ? which(fd) : 0;
    if (file) note(SYNC, file, 0, 0, 0);
    return (int)failed;
}

int fsync(int fd) {
    return synced(fd, syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
    return synced(fd, syscall(SYS_fdatasync, fd));
}
