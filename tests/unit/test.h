/* The test runner: a table of named tests, each run in a process of its own with a time limit. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
    const char *name; /* The behaviour, as a sentence with underscores. */
    void (*run)(void);
};

/* Runs every test of the table (or those whose name contains argv[1]), prints a line for each, and
 * returns the exit status: 0 when all passed. */
int test_main(const struct test *tests, size_t count, int argc, char **argv);

/* Ends the running test as failed, with where and why. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void test_check_int(const char *file, int line, const char *what, int64_t got, int64_t want);
void test_check_bytes(const char *file, int line, const char *what, const void *got, size_t got_len,
                      const void *want, size_t want_len);
void test_check_str(const char *file, int line, const char *what, const char *got,
                    const char *want);

/* Writes the bytes of a hex string (blanks allowed) to out and returns how many; fails the test
 * when they are malformed or more than capacity. */
size_t test_hex(const char *hex, uint8_t *out, size_t capacity);

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "not so: %s", #condition))
#define CHECK_INT(got, want)                                                                       \
    test_check_int(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
#define CHECK_BYTES(got, got_len, want, want_len)                                                  \
    test_check_bytes(__FILE__, __LINE__, #got, got, got_len, want, want_len)
#define CHECK_STR(got, want) test_check_str(__FILE__, __LINE__, #got, got, want)

#define TEST_MAIN(table)                                                                           \
    int main(int argc, char **argv) {                                                              \
        return test_main(table, sizeof(table) / sizeof((table)[0]), argc, argv);                   \
    }

#endif
