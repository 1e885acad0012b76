/* Preloaded into the server: writes every change below $POWERCUT_DIR to $POWERCUT_TRACE, in order, with its data, and when each sync began
 * and ended; and the first octets of what goes to sockets, so that the moment of an answer is known exactly.
 * A seccomp filter stops every changing system call, whoever makes it (libc, a raw `syscall` instruction of a crate), with SIGSYS; the handler
 * makes and records it. Only the one instruction in `pass` is let through, so nothing can go past. A changing call that the model does not know
 * is recorded as 'X', and the suite fails loudly.
 * One lock is held from before a call to after its record, so the trace is a true order. Records: kind, 7 x u64 little endian (see `put`), then
 * `size` octets. x86-64 only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#define FDS 65536
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int trace = -1;
static uint64_t syncs;
static struct { uint64_t ino; int kind; /* 0 other, 1 file, 2 directory */ int append; } fds[FDS];

/* The system call that the filter lets through: known by the address behind its instruction. Gives the result or -errno. */
long pass(long nr, long a, long b, long c, long d, long e, long f);
extern const char pass_behind[];
__asm__(".text\n.globl pass\n.type pass,@function\npass:\n"
        "mov %rdi,%rax\nmov %rsi,%rdi\nmov %rdx,%rsi\nmov %rcx,%rdx\nmov %r8,%r10\nmov %r9,%r8\nmov 8(%rsp),%r9\nsyscall\n"
        ".globl pass_behind\n.hidden pass_behind\npass_behind:\nret\n.size pass,.-pass\n");

static void fail(const char *what) {
  pass(SYS_write, 2, (long)what, (long)strlen(what), 0, 0, 0);
  pass(SYS_write, 2, (long)"\n", 1, 0, 0, 0);
  pass(SYS_exit_group, 99, 0, 0, 0, 0, 0);
}

/* One record, at most `limit` octets of the data. */
static void put(char kind, uint64_t ino, uint64_t a, uint64_t b, const struct iovec *data, int n, uint64_t limit) {
  static uint8_t head[57];
  static struct iovec all[1025];
  uint64_t size = 0;
  int parts = 1;
  if (n > 1024) fail("powercut shim: too many parts in one write");
  for (int i = 0; i < n && size < limit; i++, parts++) {
    all[parts] = data[i];
    if (all[parts].iov_len > limit - size) all[parts].iov_len = limit - size;
    size += all[parts].iov_len;
  }
  uint64_t words[7] = {ino, a, b, size, 0, (uint64_t)getpid(), 0};
  head[0] = (uint8_t)kind;
  memcpy(head + 1, words, sizeof words);
  all[0] = (struct iovec){head, sizeof head};
  for (int i = 0; i < parts;) {
    long done = pass(SYS_writev, trace, (long)(all + i), parts - i > 1000 ? 1000 : parts - i, 0, 0, 0);
    if (done == -EINTR) continue;
    if (done < 0) fail("powercut shim: cannot write the trace");
    while (i < parts && (size_t)done >= all[i].iov_len) done -= (long)all[i++].iov_len;
    if (i < parts) { all[i].iov_base = (char *)all[i].iov_base + done; all[i].iov_len -= (size_t)done; }
  }
}

static void put_text(char kind, uint64_t ino, uint64_t a, const char *one, const char *two) {
  struct iovec v[2] = {{(void *)one, strlen(one) + 1}, {(void *)(two ? two : ""), two ? strlen(two) + 1 : 0}};
  put(kind, ino, a, 0, v, 2, UINT64_MAX);
}

/* The path of (dir, path) below the root, "" for the root itself; 0 where it is elsewhere. Its parent must exist. */
static int below(int dir, const char *path, char out[PATH_MAX]) {
  char whole[PATH_MAX * 2], up[PATH_MAX];
  if (!path) return 0;
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
  while (len > 1 && (whole[len - 1] == '/' || (len > 2 && whole[len - 1] == '.' && whole[len - 2] == '/'))) whole[--len] = 0;
  char *slash = strrchr(whole, '/'), joined[PATH_MAX * 2 + 2];
  if (!slash) return 0;
  *slash = 0;
  if (!realpath(*whole ? whole : "/", up)) return 0;
  snprintf(joined, sizeof joined, "%s/%s", up, slash + 1);
  if (strncmp(joined, root, root_len) || (joined[root_len] && joined[root_len] != '/')) return 0;
  snprintf(out, PATH_MAX, "%s", joined[root_len] ? joined + root_len + 1 : "");
  return 1;
}

static int known(long fd) { return fd >= 0 && fd < FDS ? fds[fd].kind : 0; }

static void unknown(int ours, const char *what) { if (ours) put_text('X', 0, 0, what, NULL); }

static long opens(long nr, int dir, const char *path, long flags, const long *a) {
  char rel[PATH_MAX];
  struct stat s;
  int ours = below(dir, path, rel), there = ours && fstatat(dir, path, &s, 0) == 0;
  long fd = pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (fd < 0) return fd;
  if (fd >= FDS) fail("powercut shim: too many files");
  fds[fd].kind = 0;
  if (!ours || fstat((int)fd, &s)) return fd;
  fds[fd].ino = s.st_ino;
  fds[fd].kind = S_ISDIR(s.st_mode) ? 2 : S_ISREG(s.st_mode) ? 1 : 0;
  fds[fd].append = !!(flags & O_APPEND);
  unknown((flags & O_TMPFILE) == O_TMPFILE, "O_TMPFILE");
  unknown(!!(flags & O_DSYNC), "O_SYNC");
  if (fds[fd].kind) put_text(!there ? 'C' : fds[fd].kind == 2 ? 'd' : 'O', s.st_ino, there && (flags & O_TRUNC) ? 1 : 0, rel, NULL);
  return fd;
}

/* where < 0: at the file's position. */
static long writes(long nr, const long *a, const struct iovec *v, int n, off_t where) {
  long fd = a[0];
  struct stat s;
  if (known(fd) != 1) {
    if (fstat((int)fd, &s) == 0 && S_ISSOCK(s.st_mode)) put('N', (uint64_t)fd, 0, 0, v, n, 4096);
    return pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  off_t at = where >= 0 ? where : fds[fd].append ? (fstat((int)fd, &s) == 0 ? s.st_size : 0) : (off_t)pass(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
  unknown(where >= 0 && fds[fd].append, "pwrite on O_APPEND");
  long r = pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (r > 0) put('W', fds[fd].ino, (uint64_t)at, 0, v, n, (uint64_t)r);
  return r;
}

/* The sync itself runs without the lock, so that what is written meanwhile is seen as not covered by it. */
static long syncs_file(long nr, long fd) {
  if (!known(fd)) return pass(nr, fd, 0, 0, 0, 0, 0);
  uint64_t id = ++syncs, ino = fds[fd].ino;
  put('S', ino, id, 0, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  long r = pass(nr, fd, 0, 0, 0, 0, 0);
  pthread_mutex_lock(&lock);
  if (r == 0) put('E', ino, id, 0, NULL, 0, 0);
  return r;
}

static long resizes(long nr, const long *a, int odd) {
  struct stat s;
  long r = pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (r == 0 && known(a[0]) == 1 && fstat((int)a[0], &s) == 0) {
    unknown(odd, "fallocate mode");
    put('T', fds[a[0]].ino, (uint64_t)s.st_size, 0, NULL, 0, 0);
  }
  return r;
}

static long names(char kind, long nr, const long *a, int dir1, const char *one, int dir2, const char *two) {
  char x[PATH_MAX], y[PATH_MAX];
  struct stat s = {0};
  if (kind != 'M' && fstatat(dir1, one, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(s.st_mode)) return pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  int in1 = below(dir1, one, x), in2 = two ? below(dir2, two, y) : in1;
  long r = pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (r || (!in1 && !in2)) return r;
  unknown(in1 != in2, "a name moved over the edge of the directory");
  if (kind == 'M' && fstatat(dir1, one, &s, 0)) return r;
  if (in1 == in2) put_text(kind, s.st_ino, 0, x, two ? y : NULL);
  return r;
}

#define DUP(to) ({ long to_ = (to); if (to_ >= 0 && to_ < FDS && a[0] >= 0 && a[0] < FDS && to_ != a[0]) fds[to_] = fds[a[0]]; to_; })
#define P(i) ((const char *)a[i])
static long act(long nr, const long *a) {
  struct iovec one = {(void *)a[1], (size_t)a[2]};
  switch (nr) {
    case SYS_open: return opens(nr, AT_FDCWD, P(0), a[1], a);
    case SYS_creat: return opens(nr, AT_FDCWD, P(0), O_CREAT | O_WRONLY | O_TRUNC, a);
    case SYS_openat: return opens(nr, (int)a[0], P(1), a[2], a);
    case SYS_close: if (a[0] >= 0 && a[0] < FDS) fds[a[0]].kind = 0; break;
    case SYS_dup: case SYS_dup2: case SYS_dup3: return DUP(pass(nr, a[0], a[1], a[2], 0, 0, 0));
    case SYS_fcntl: { long r = pass(nr, a[0], a[1], a[2], 0, 0, 0); return a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC ? DUP(r) : r; }
    case SYS_write: case SYS_sendto: return writes(nr, a, &one, 1, -1);
    case SYS_writev: return writes(nr, a, (const struct iovec *)a[1], (int)a[2], -1);
    case SYS_sendmsg: { const struct msghdr *m = (const struct msghdr *)a[1]; return writes(nr, a, m->msg_iov, (int)m->msg_iovlen, -1); }
    case SYS_pwrite64: return writes(nr, a, &one, 1, a[3]);
    case SYS_pwritev: return writes(nr, a, (const struct iovec *)a[1], (int)a[2], a[3]);
    case SYS_pwritev2: unknown(a[5] != 0, "pwritev2 flags"); return writes(nr, a, (const struct iovec *)a[1], (int)a[2], a[3]);
    case SYS_fsync: case SYS_fdatasync: return syncs_file(nr, a[0]);
    case SYS_ftruncate: return resizes(nr, a, 0);
    case SYS_fallocate: return resizes(nr, a, (a[1] & ~FALLOC_FL_KEEP_SIZE) != 0);
    case SYS_rename: return names('R', nr, a, AT_FDCWD, P(0), AT_FDCWD, P(1));
    case SYS_renameat: return names('R', nr, a, (int)a[0], P(1), (int)a[2], P(3));
    case SYS_renameat2: { char x[PATH_MAX]; unknown((a[4] & ~1L) && below((int)a[0], P(1), x), "renameat2 flags"); return names('R', nr, a, (int)a[0], P(1), (int)a[2], P(3)); }
    case SYS_link: return names('L', nr, a, AT_FDCWD, P(0), AT_FDCWD, P(1));
    case SYS_linkat: return names('L', nr, a, (int)a[0], P(1), (int)a[2], P(3));
    case SYS_unlink: case SYS_rmdir: return names('U', nr, a, AT_FDCWD, P(0), 0, NULL);
    case SYS_unlinkat: return names('U', nr, a, (int)a[0], P(1), 0, NULL);
    case SYS_mkdir: return names('M', nr, a, AT_FDCWD, P(0), 0, NULL);
    case SYS_mkdirat: return names('M', nr, a, (int)a[0], P(1), 0, NULL);
    case SYS_mmap: unknown(known(a[4]) == 1, "mmap for writing"); break;
    case SYS_copy_file_range: case SYS_splice: unknown(known(a[2]) == 1, "copy_file_range or splice"); break;
    case SYS_sendfile: unknown(known(a[0]) == 1, "sendfile"); break;
    case SYS_sync_file_range: case SYS_syncfs: unknown(known(a[0]) != 0, "sync_file_range or syncfs"); break;
    case SYS_truncate: case SYS_symlink: case SYS_symlinkat: case SYS_mknod: case SYS_mknodat: {
      char x[PATH_MAX];
      unknown(nr == SYS_symlink ? below(AT_FDCWD, P(1), x) : nr == SYS_symlinkat ? below((int)a[1], P(2), x) : nr == SYS_mknodat ? below((int)a[0], P(1), x) : below(AT_FDCWD, P(0), x),
              "truncate, symlink or mknod");
      break;
    }
    case SYS_sync: unknown(1, "sync"); break;
    case SYS_io_uring_setup: unknown(1, "io_uring"); break;
    case SYS_openat2: unknown(1, "openat2"); break;
  }
  return pass(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void stopped(int sig, siginfo_t *info, void *context) {
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  long a[6] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
  (void)sig;
  int kept = errno;
  pthread_mutex_lock(&lock);
  r[REG_RAX] = act(info->si_syscall, a);
  pthread_mutex_unlock(&lock);
  errno = kept;
}

/* The end of a process that is killed between a call and its record would be a change that the trace does not know; so it is killed here. */
static void killed(int sig) {
  (void)sig;
  pthread_mutex_lock(&lock);
  pass(SYS_exit_group, 137, 0, 0, 0, 0, 0);
}

static const int changing[] = {SYS_open, SYS_creat, SYS_openat, SYS_openat2, SYS_close, SYS_dup, SYS_dup2, SYS_dup3, SYS_fcntl, SYS_write, SYS_writev, SYS_pwrite64, SYS_pwritev, SYS_pwritev2,
  SYS_sendto, SYS_sendmsg, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range, SYS_ftruncate, SYS_truncate, SYS_fallocate, SYS_rename, SYS_renameat, SYS_renameat2, SYS_link,
  SYS_linkat, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_mkdir, SYS_mkdirat, SYS_symlink, SYS_symlinkat, SYS_mknod, SYS_mknodat, SYS_copy_file_range, SYS_splice, SYS_sendfile, SYS_io_uring_setup};
#define COUNT ((int)(sizeof changing / sizeof *changing))

__attribute__((constructor)) static void begin(void) {
  const char *dir = getenv("POWERCUT_DIR"), *to = getenv("POWERCUT_TRACE");
  if (!dir || !to) return;
  if (!realpath(dir, root)) fail("powercut shim: POWERCUT_DIR is no directory");
  root_len = strlen(root);
  int fd = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  trace = fcntl(fd, F_DUPFD_CLOEXEC, 1000);
  if (trace < 0) fail("powercut shim: cannot open POWERCUT_TRACE");
  close(fd);
  struct sigaction on = {.sa_sigaction = stopped, .sa_flags = SA_SIGINFO};
  sigfillset(&on.sa_mask);  /* a signal's own handler may write, and must not find the lock held by its thread */
  sigaction(SIGSYS, &on, NULL);
  struct sigaction end = {.sa_handler = killed};
  sigaction(SIGUSR2, &end, NULL);

  struct sock_filter f[COUNT + 20], *p = f;
#define LOAD(field) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field))
#define IF(test, value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (yes), (no))
#define END(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (what))
  uint64_t behind = (uint64_t)pass_behind;
  *p++ = LOAD(offsetof(struct seccomp_data, instruction_pointer));
  *p++ = IF(BPF_JEQ, (uint32_t)behind, 0, 3);
  *p++ = LOAD(offsetof(struct seccomp_data, instruction_pointer) + 4);
  *p++ = IF(BPF_JEQ, (uint32_t)(behind >> 32), 0, 1);
  *p++ = END(SECCOMP_RET_ALLOW);
  *p++ = LOAD(offsetof(struct seccomp_data, nr));
  for (int i = 0; i < COUNT; i++) *p++ = IF(BPF_JEQ, (uint32_t)changing[i], (uint8_t)(COUNT - i + 5), 0);
  *p++ = IF(BPF_JEQ, SYS_mmap, 0, 4);  /* only where it maps a file for shared writing */
  *p++ = LOAD(offsetof(struct seccomp_data, args[2]));
  *p++ = IF(BPF_JSET, PROT_WRITE, 0, 2);
  *p++ = LOAD(offsetof(struct seccomp_data, args[3]));
  *p++ = IF(BPF_JSET, MAP_SHARED, 1, 0);
  *p++ = END(SECCOMP_RET_ALLOW);
  *p++ = END(SECCOMP_RET_TRAP);
  struct sock_fprog program = {(unsigned short)(p - f), f};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) fail("powercut shim: no seccomp filter can be set");
}
