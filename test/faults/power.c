/* Preloaded into redis-server: for each append-only file, the size that was last synced stands in <file>.synced. What was
 * written after that is what a power cut takes away, although `kill -9` of the process alone leaves it in the page cache. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(int fd, off_t size) {
  char link[64], path[4096], out[4200], text[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  if (!strstr(path, ".aof")) return;
  snprintf(out, sizeof out, "%s.synced", path);
  /* Never truncated: a kill between truncating and writing would look like a file that was never synced at all. */
  int file = open(out, O_WRONLY | O_CREAT, 0644);
  if (file < 0) return;
  int written = snprintf(text, sizeof text, "%020lld\n", (long long)size);
  if (pwrite(file, text, written, 0) < 0) { /* then the size before stands: more is lost, not less */ }
  close(file);
}

/* The size is read before the sync: what is written meanwhile may not be on the disk. */
#define WRAP(name)                                  \
  int name(int fd) {                                \
    static int (*real)(int);                        \
    if (!real) real = dlsym(RTLD_NEXT, #name);      \
    struct stat at;                                 \
    off_t size = fstat(fd, &at) ? -1 : at.st_size;  \
    int result = real(fd);                          \
    if (!result && size >= 0) note(fd, size);       \
    return result;                                  \
  }
WRAP(fsync)
WRAP(fdatasync)
