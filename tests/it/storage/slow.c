/* Makes a file system slow: what lies below `SLOW_ROOT` is opened, looked at and linked only after `SLOW_DELAY`
   milliseconds. Preloaded; paths that are relative to an open folder are left alone. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void delay(const char *path)
{
    const char *root = getenv("SLOW_ROOT"), *delay = getenv("SLOW_DELAY");
    size_t length = root ? strlen(root) : 0;
    if (delay && length && path && strncmp(path, root, length) == 0 && path[length] == '/')
        usleep(1000 * atoi(delay));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    delay(path);
    return REAL(open64)(path, flags, mode);
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict out)
{
    delay(path);
    return REAL(statx)(folder, path, flags, mask, out);
}

int linkat(int one, const char *from, int two, const char *to, int flags)
{
    delay(from);
    return REAL(linkat)(one, from, two, to, flags);
}
