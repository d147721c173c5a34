/* The test runner: forks once per test, so that a crash or a hang is one failed test. */
#include "tests/unit/test.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Generous: sanitized builds on a busy machine are twenty times slower. */
#define TEST_SECONDS_MAX 120

static bool run_one(const struct test *test) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(TEST_SECONDS_MAX);
        test->run();
        fflush(NULL);
        exit(0); /* Not _exit: leaks are looked for on the way out. */
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return false;
    bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFSIGNALED(status))
        printf("  %s: ended by %s\n", test->name, strsignal(WTERMSIG(status)));
    return passed;
}

int test_main(const struct test *tests, size_t count, int argc, char **argv) {
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strstr(tests[i].name, argv[1]) == NULL)
            continue;
        bool passed = run_one(&tests[i]);
        printf("%s - %s\n", passed ? "ok" : "not ok", tests[i].name);
        failed += !passed;
    }
    return failed > 0;
}

void test_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("  %s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    _exit(1);
}

void test_check_int(const char *file, int line, const char *what, int64_t got, int64_t want) {
    if (got != want)
        test_fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, got, want);
}

void test_check_str(const char *file, int line, const char *what, const char *got,
                    const char *want) {
    if (got == NULL || strcmp(got, want) != 0)
        test_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", want);
}

void test_check_bytes(const char *file, int line, const char *what, const void *got, size_t got_len,
                      const void *want, size_t want_len) {
    const uint8_t *a = got;
    const uint8_t *b = want;
    size_t shorter = got_len < want_len ? got_len : want_len;
    for (size_t i = 0; i < shorter; i++)
        if (a[i] != b[i])
            test_fail(file, line, "%s: byte %zu is %02x, not %02x", what, i, a[i], b[i]);
    if (got_len != want_len)
        test_fail(file, line, "%s has %zu bytes, not %zu", what, got_len, want_len);
}

static int hex_digit(char c) {
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

size_t test_hex(const char *hex, uint8_t *out, size_t capacity) {
    size_t count = 0;
    while (*hex) {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
            count == capacity)
            test_fail(__FILE__, __LINE__, "bad hex at \"%.8s\"", hex);
        out[count++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        hex += 2;
    }
    return count;
}
