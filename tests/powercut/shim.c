/* Preloaded into the server: writes every change below $POWERCUT_DIR to $POWERCUT_TRACE, in order, with its data, and when each sync began
 * and ended; and the first octets of what goes to sockets, so that the moment of an answer is known exactly.
 * One lock is held from before a call to after its record, so the trace is a true order. A changing call that is not understood is recorded
 * as 'X', and the suite fails loudly. Calls are made by number: nothing here depends on the order of libraries. Records: kind, 7 x u64 little endian (see `put`), then `size` octets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int trace = -1;
static uint64_t syncs;
static struct { uint64_t ino; int kind; /* 0 other, 1 file, 2 directory */ int append; } fds[FDS];

static void fail(const char *what) {
  dprintf(2, "powercut shim: %s\n", what);
  _exit(99);
}

/* The record is one writev, so that the size of the trace at any moment is a whole number of records. */
static void put(char kind, uint64_t ino, uint64_t a, uint64_t b, const struct iovec *data, int n, uint64_t limit) {
  static uint8_t head[57];
  static struct iovec all[1025];
  uint64_t size = 0;
  int parts = 1;
  if (trace < 0) return;
  if (n > 1024) fail("too many parts in one write");
  for (int i = 0; i < n && size < limit; i++, parts++) {
    all[parts] = data[i];
    if (all[parts].iov_len > limit - size) all[parts].iov_len = limit - size;
    size += all[parts].iov_len;
  }
  uint64_t words[7] = {ino, a, b, size, (uint64_t)gettid(), (uint64_t)getpid(), 0};
  head[0] = (uint8_t)kind;
  memcpy(head + 1, words, sizeof words);
  all[0] = (struct iovec){head, sizeof head};
  for (int i = 0; i < parts;) {
    ssize_t done = syscall(SYS_writev, trace, all + i, parts - i > 1000 ? 1000 : parts - i);
    if (done < 0) { if (errno == EINTR) continue; fail("cannot write the trace"); }
    while (i < parts && (size_t)done >= all[i].iov_len) done -= (ssize_t)all[i++].iov_len;
    if (i < parts) { all[i].iov_base = (char *)all[i].iov_base + done; all[i].iov_len -= (size_t)done; }
  }
}

static void put_text(char kind, uint64_t ino, uint64_t a, const char *one, const char *two) {
  struct iovec v[2] = {{(void *)one, strlen(one) + 1}, {(void *)(two ? two : ""), two ? strlen(two) + 1 : 0}};
  put(kind, ino, a, 0, v, 2, UINT64_MAX);
}

__attribute__((constructor)) static void begin(void) {
  const char *dir = getenv("POWERCUT_DIR"), *to = getenv("POWERCUT_TRACE");
  if (!dir || !to) return;
  if (!realpath(dir, root)) fail("POWERCUT_DIR is no directory");
  root_len = strlen(root);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  trace = fcntl(fd, F_DUPFD_CLOEXEC, 1000);
  if (trace < 0) fail("cannot open POWERCUT_TRACE");
  syscall(SYS_close, fd);
}

/* The path below the root of (dir, path), "" for the root itself; 0 where it is elsewhere. Its parent must exist. */
static int below(int dir, const char *path, char out[PATH_MAX]) {
  char whole[PATH_MAX * 2], up[PATH_MAX];
  if (trace < 0 || !path) return 0;
  if (path[0] == '/') snprintf(whole, sizeof whole, "%s", path);
  else {
    char base[PATH_MAX], link[64];
    ssize_t n;
    if (dir == AT_FDCWD) { if (!getcwd(base, sizeof base)) return 0; }
    else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
      if ((n = readlink(link, base, sizeof base - 1)) < 0) return 0;
      base[n] = 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", base, path);
  }
  size_t len = strlen(whole);
  while (len > 1 && whole[len - 1] == '/') whole[--len] = 0;
  char *slash = strrchr(whole, '/');
  if (!slash) return 0;
  *slash = 0;
  if (!realpath(*whole ? whole : "/", up)) return 0;
  char joined[PATH_MAX * 2 + 2];
  snprintf(joined, sizeof joined, "%s/%s", up, slash + 1);
  if (strncmp(joined, root, root_len) || (joined[root_len] && joined[root_len] != '/')) return 0;
  snprintf(out, PATH_MAX, "%s", joined[root_len] ? joined + root_len + 1 : "");
  return 1;
}

static int known(int fd) { return fd >= 0 && fd < FDS ? fds[fd].kind : 0; }

static void forget(int fd) { if (fd >= 0 && fd < FDS) fds[fd].kind = 0; }

static int opened(int dir, const char *path, int flags, mode_t mode) {
  char rel[PATH_MAX];
  struct stat s;
  int ours = below(dir, path, rel);
  if (!ours) { int fd = (int)syscall(SYS_openat, dir, path, flags, mode); pthread_mutex_lock(&lock); forget(fd); pthread_mutex_unlock(&lock); return fd; }
  pthread_mutex_lock(&lock);
  int there = fstatat(dir, path, &s, 0) == 0;
  int fd = (int)syscall(SYS_openat, dir, path, flags, mode), e = errno;
  if (fd >= 0 && fstat(fd, &s) == 0) {
    if (fd >= FDS) fail("too many files");
    fds[fd].ino = s.st_ino;
    fds[fd].kind = S_ISDIR(s.st_mode) ? 2 : S_ISREG(s.st_mode) ? 1 : 0;
    fds[fd].append = !!(flags & O_APPEND);
    if ((flags & O_TMPFILE) == O_TMPFILE) put_text('X', 0, 0, "O_TMPFILE", NULL);
    if (flags & (O_DSYNC | (O_SYNC & ~O_DSYNC))) put_text('X', 0, 0, "O_SYNC", NULL);
    if (fds[fd].kind) put_text(there ? (fds[fd].kind == 2 ? 'd' : 'O') : 'C', s.st_ino, there && (flags & O_TRUNC) ? 1 : 0, rel, NULL);
  }
  pthread_mutex_unlock(&lock);
  errno = e;
  return fd;
}
#define MODE ({ mode_t m = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list v; va_start(v, flags); m = va_arg(v, mode_t); va_end(v); } m; })
int open(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags, MODE); }
int open64(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags, MODE); }
int openat(int dir, const char *path, int flags, ...) { return opened(dir, path, flags, MODE); }
int openat64(int dir, const char *path, int flags, ...) { return opened(dir, path, flags, MODE); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  pthread_mutex_lock(&lock);
  forget(fd);
  pthread_mutex_unlock(&lock);
  return (int)syscall(SYS_close, fd);
}
static int copied(int fd, int to) {
  if (to >= 0 && to < FDS) { pthread_mutex_lock(&lock); if (fd >= 0 && fd < FDS) fds[to] = fds[fd]; pthread_mutex_unlock(&lock); }
  return to;
}
int dup(int fd) { return copied(fd, (int)syscall(SYS_dup, fd)); }
int dup3(int fd, int to, int flags) { return copied(fd, (int)syscall(SYS_dup3, fd, to, flags)); }
int dup2(int fd, int to) { return fd == to ? to : copied(fd, (int)syscall(SYS_dup3, fd, to, 0)); }
static int control(int fd, int cmd, long arg) {
  int r = (int)syscall(SYS_fcntl, fd, cmd, arg);
  return (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) ? copied(fd, r) : r;
}
int fcntl(int fd, int cmd, ...) { va_list v; va_start(v, cmd); long arg = va_arg(v, long); va_end(v); return control(fd, cmd, arg); }
int fcntl64(int fd, int cmd, ...) { va_list v; va_start(v, cmd); long arg = va_arg(v, long); va_end(v); return control(fd, cmd, arg); }

static int is_socket(int fd) { struct stat s; return fstat(fd, &s) == 0 && S_ISSOCK(s.st_mode); }
static void answered(int fd, const struct iovec *v, int n) {
  if (trace < 0) return;
  pthread_mutex_lock(&lock);
  put('N', (uint64_t)fd, 0, 0, v, n, 4096);
  pthread_mutex_unlock(&lock);
}

/* where < 0: at the file's position. The data is written by one pwritev under the lock and recorded as far as it got. */
static ssize_t written(int fd, const struct iovec *v, int n, off_t where) {
  pthread_mutex_lock(&lock);
  struct stat s;
  off_t at = where >= 0 ? where : fds[fd].append ? (fstat(fd, &s) == 0 ? s.st_size : 0) : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
  if (where >= 0 && fds[fd].append) put_text('X', 0, 0, "pwrite on O_APPEND", NULL);
  ssize_t r = where >= 0 ? (ssize_t)syscall(SYS_pwritev, fd, v, n, where, 0) : (ssize_t)syscall(SYS_writev, fd, v, n);
  int e = errno;
  if (r > 0) put('W', fds[fd].ino, (uint64_t)at, 0, v, n, (uint64_t)r);
  pthread_mutex_unlock(&lock);
  errno = e;
  return r;
}
ssize_t write(int fd, const void *p, size_t n) {
  struct iovec v = {(void *)p, n};
  if (known(fd) == 1) return written(fd, &v, 1, -1);
  if (trace >= 0 && is_socket(fd)) answered(fd, &v, 1);
  return (ssize_t)syscall(SYS_write, fd, p, n);
}
ssize_t writev(int fd, const struct iovec *v, int n) {
  if (known(fd) == 1) return written(fd, v, n, -1);
  if (trace >= 0 && is_socket(fd)) answered(fd, v, n);
  return (ssize_t)syscall(SYS_writev, fd, v, n);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  struct iovec v = {(void *)p, n};
  return known(fd) == 1 ? written(fd, &v, 1, at) : (ssize_t)syscall(SYS_pwrite64, fd, p, n, at);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) { return pwrite(fd, p, n, at); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
  return known(fd) == 1 ? written(fd, v, n, at) : (ssize_t)syscall(SYS_pwritev, fd, v, n, at, 0);
}
ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t at) { return pwritev(fd, v, n, at); }
ssize_t send(int fd, const void *p, size_t n, int flags) {
  struct iovec v = {(void *)p, n};
  answered(fd, &v, 1);
  return (ssize_t)syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}
ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len) {
  struct iovec v = {(void *)p, n};
  answered(fd, &v, 1);
  return (ssize_t)syscall(SYS_sendto, fd, p, n, flags, to, len);
}
ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
  answered(fd, m->msg_iov, (int)m->msg_iovlen);
  return (ssize_t)syscall(SYS_sendmsg, fd, m, flags);
}

static int synced(int fd, long call) {
  if (!known(fd)) return (int)syscall(call, fd);
  pthread_mutex_lock(&lock);
  uint64_t id = ++syncs, ino = fds[fd].ino;
  put('S', ino, id, (uint64_t)getpid(), NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  int r = (int)syscall(call, fd), e = errno;
  pthread_mutex_lock(&lock);
  if (r == 0) put('E', ino, id, (uint64_t)getpid(), NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = e;
  return r;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int ftruncate(int fd, off_t size) {
  pthread_mutex_lock(&lock);
  int r = (int)syscall(SYS_ftruncate, fd, size), e = errno;
  if (r == 0 && known(fd) == 1) put('T', fds[fd].ino, (uint64_t)size, 0, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = e;
  return r;
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
static int grown(int fd, int mode, off_t at, off_t n) {
  pthread_mutex_lock(&lock);
  struct stat s;
  int r = (int)syscall(SYS_fallocate, fd, mode, at, n), e = errno;
  if (r == 0 && known(fd) == 1) {
    if (mode & ~FALLOC_FL_KEEP_SIZE) put_text('X', 0, 0, "fallocate mode", NULL);
    else if (!(mode & FALLOC_FL_KEEP_SIZE) && fstat(fd, &s) == 0) put('T', fds[fd].ino, (uint64_t)s.st_size, 0, NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = e;
  return r;
}
int fallocate(int fd, int mode, off_t at, off_t n) { return grown(fd, mode, at, n); }
int fallocate64(int fd, int mode, off_t at, off_t n) { return grown(fd, mode, at, n); }
int posix_fallocate(int fd, off_t at, off_t n) { return grown(fd, 0, at, n) ? errno : 0; }
int posix_fallocate64(int fd, off_t at, off_t n) { return grown(fd, 0, at, n) ? errno : 0; }

/* Changes of names: done and recorded under the lock. */
#define NAMED(kind, dir1, one, dir2, two, call) ({ \
  char a_[PATH_MAX], b_[PATH_MAX]; const char *two_ = two; struct stat s_; \
  int in_ = below(dir1, one, a_), in2_ = two_ ? below(dir2, two_, b_) : in_; \
  pthread_mutex_lock(&lock); \
  int r_ = (int)(call), e_ = errno; \
  uint64_t ino_ = 0; \
  if (r_ == 0 && kind == 'M' && fstatat(dir1, one, &s_, 0) == 0) ino_ = s_.st_ino; \
  if (r_ == 0 && (in_ || in2_)) { \
    if (in_ != in2_) put_text('X', 0, 0, "a name moved over the edge of the directory", NULL); \
    else put_text(kind, ino_, 0, a_, two_ ? b_ : NULL); } \
  pthread_mutex_unlock(&lock); errno = e_; r_; })
int rename(const char *a, const char *b) { return NAMED('R', AT_FDCWD, a, AT_FDCWD, b, syscall(SYS_rename, a, b)); }
int renameat(int d, const char *a, int f, const char *b) { return NAMED('R', d, a, f, b, syscall(SYS_renameat, d, a, f, b)); }
int renameat2(int d, const char *a, int f, const char *b, unsigned flags) {
  if (flags & ~1u) { char x[PATH_MAX]; if (below(d, a, x)) put_text('X', 0, 0, "renameat2 flags", NULL); }
  return NAMED('R', d, a, f, b, syscall(SYS_renameat2, d, a, f, b, flags));
}
int link(const char *a, const char *b) { return NAMED('L', AT_FDCWD, a, AT_FDCWD, b, syscall(SYS_link, a, b)); }
int linkat(int d, const char *a, int f, const char *b, int flags) { return NAMED('L', d, a, f, b, syscall(SYS_linkat, d, a, f, b, flags)); }
int unlink(const char *a) { return NAMED('U', AT_FDCWD, a, 0, NULL, syscall(SYS_unlink, a)); }
int unlinkat(int d, const char *a, int flags) { return NAMED('U', d, a, 0, NULL, syscall(SYS_unlinkat, d, a, flags)); }
int rmdir(const char *a) { return NAMED('U', AT_FDCWD, a, 0, NULL, syscall(SYS_rmdir, a)); }
int mkdir(const char *a, mode_t m) { return NAMED('M', AT_FDCWD, a, 0, NULL, syscall(SYS_mkdir, a, m)); }
int mkdirat(int d, const char *a, mode_t m) { return NAMED('M', d, a, 0, NULL, syscall(SYS_mkdirat, d, a, m)); }

/* What the rebuilder does not model. */
static void strange(int ours, const char *what) {
  if (!ours || trace < 0) return;
  pthread_mutex_lock(&lock);
  put_text('X', 0, 0, what, NULL);
  pthread_mutex_unlock(&lock);
}
void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at) {
  if ((flags & MAP_SHARED) && (prot & PROT_WRITE)) strange(known(fd) == 1, "mmap for writing");
  return (void *)syscall(SYS_mmap, p, n, prot, flags, fd, at);
}
void *mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at) { return mmap(p, n, prot, flags, fd, at); }
ssize_t copy_file_range(int a, off_t *x, int b, off_t *y, size_t n, unsigned f) { strange(known(b) == 1, "copy_file_range"); return syscall(SYS_copy_file_range, a, x, b, y, n, f); }
ssize_t sendfile(int to, int from, off_t *at, size_t n) { strange(known(to) == 1, "sendfile"); return syscall(SYS_sendfile, to, from, at, n); }
ssize_t sendfile64(int to, int from, off_t *at, size_t n) { return sendfile(to, from, at, n); }
ssize_t splice(int a, off_t *x, int b, off_t *y, size_t n, unsigned f) { strange(known(b) == 1, "splice"); return syscall(SYS_splice, a, x, b, y, n, f); }
int truncate(const char *p, off_t n) { char x[PATH_MAX]; strange(below(AT_FDCWD, p, x), "truncate"); return (int)syscall(SYS_truncate, p, n); }
int truncate64(const char *p, off_t n) { return truncate(p, n); }
int symlink(const char *a, const char *b) { char x[PATH_MAX]; strange(below(AT_FDCWD, b, x), "symlink"); return (int)syscall(SYS_symlink, a, b); }
int sync_file_range(int fd, off_t a, off_t n, unsigned f) { strange(known(fd) == 1, "sync_file_range"); return (int)syscall(SYS_sync_file_range, fd, a, n, f); }
