/* Options from all sources, and what is said about wrong ones. */
#include "signaling/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
    struct sig_config config;
    char *out;
    char *err;
} loaded;

/* Loads from "weir" and the arguments, up to NULL. Returns what sig_config_load does. */
static int load(const char **envp, const char **arguments) {
    size_t out_len, err_len;
    const char *argv[32] = {"weir"};
    int argc = 1;
    for (; arguments && arguments[argc - 1]; argc++)
        argv[argc] = arguments[argc - 1];
    FILE *out = open_memstream(&loaded.out, &out_len);
    FILE *err = open_memstream(&loaded.err, &err_len);
    int status = sig_config_load(&loaded.config, argc, (char **)(uintptr_t)argv,
                                 (char **)(uintptr_t)envp, out, err);
    fclose(out);
    fclose(err);
    return status;
}

static void unload(void) {
    sig_config_deinit(&loaded.config);
    free(loaded.out);
    free(loaded.err);
}

#define ARGS(...) ((const char *[]){__VA_ARGS__, NULL})

static const char *write_file(const char *text) {
    static char path[] = "/tmp/weir-config-XXXXXX";
    memcpy(strrchr(path, '-'), "-XXXXXX", 7);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void without_options_it_is_a_demo_on_localhost(void) {
    CHECK_INT(load(NULL, NULL), SIG_CONFIG_RUN);
    const struct sig_config *config = &loaded.config;
    CHECK_INT(config->listen.count, 1);
    CHECK_STR(config->listen.items[0], "localhost:8080");
    CHECK_INT(config->rtc_port, 40000);
    CHECK_INT(config->rtc_address.count, 0);
    CHECK(config->rtc_tcp);
    CHECK(config->rtc_gso);
    CHECK(config->workers >= 1 && config->workers <= SIG_CONFIG_WORKERS_MAX);
    CHECK(config->demo);
    CHECK(config->secret == NULL && config->tls_cert == NULL && config->stun == NULL);
    CHECK_INT(config->ring_timeout_s, 45);
    CHECK_INT(config->resume_grace_s, 30);
    CHECK_INT(config->max_message_bytes, 262144);
    CHECK_INT(config->log_level, SIG_LOG_INFO);
    CHECK_INT(config->log_format, SIG_LOG_HUMAN);
    unload();
}

static void flags_win_over_the_environment_and_that_over_the_file(void) {
    const char *path = write_file("# a comment\n[media]\nrtc-port = 1000\nworkers = 3\n"
                                  "ring-timeout-s=10\nlisten = 127.0.0.1:1, [::1]:2\n");
    char config_variable[64];
    snprintf(config_variable, sizeof(config_variable), "WEIR_CONFIG=%s", path);
    CHECK_INT(load(ARGS(config_variable, "WEIR_RTC_PORT=2000", "WEIR_WORKERS=4", "HOME=/"),
                   ARGS("--rtc-port", "3000", "--no-rtc-tcp", "--no-rtc-gso", "--log-level=debug",
                        "--log-format", "json")),
              SIG_CONFIG_RUN);
    CHECK_INT(loaded.config.rtc_port, 3000);
    CHECK(!loaded.config.rtc_tcp);
    CHECK(!loaded.config.rtc_gso);
    CHECK_INT(loaded.config.workers, 4);
    CHECK_INT(loaded.config.ring_timeout_s, 10);
    CHECK_INT(loaded.config.listen.count, 2);
    CHECK_STR(loaded.config.listen.items[1], "[::1]:2");
    CHECK_INT(loaded.config.log_level, SIG_LOG_DEBUG);
    CHECK_INT(loaded.config.log_format, SIG_LOG_JSON);
    unload();
    unlink(path);
}

static void lists_are_commas_or_repetition_and_replace_weaker_ones(void) {
    CHECK_INT(load(ARGS("WEIR_RTC_ADDRESS=192.0.2.1"),
                   ARGS("--rtc-address", "192.0.2.2, 192.0.2.3", "--rtc-address=2001:db8::1",
                        "--listen=localhost:0")),
              SIG_CONFIG_RUN);
    CHECK_INT(loaded.config.rtc_address.count, 3);
    CHECK_STR(loaded.config.rtc_address.items[0], "192.0.2.2");
    CHECK_STR(loaded.config.rtc_address.items[2], "2001:db8::1");
    CHECK_INT(loaded.config.listen.count, 1);
    unload();
}

static void every_wrong_value_is_named_with_its_source_and_what_is_right(void) {
    static const struct {
        const char *variable;
        const char *flag;
        const char *value;
        const char *said;
    } rows[] = {
        {NULL, "--rtc-port", "70000",
         "weir: --rtc-port: \"70000\" is not a whole number from 0 to 65535\n"},
        {NULL, "--rtc-port=4e3", NULL, "--rtc-port: \"4e3\" is not a whole number"},
        {NULL, "--rtc-port=", NULL, "--rtc-port: \"\" is not a whole number"},
        {NULL, "--workers", "-1", "--workers: \"-1\" is not a whole number from 0 to 64\n"},
        {NULL, "--workers", NULL, "--workers: needs a value: --workers N\n"},
        {NULL, "--rtc-port", "65530",
         "weir: rtc-port: 65530 leaves no ports for 8 workers; at most 65528\n"},
        {"WEIR_RTC_PORT=x", NULL, NULL, "weir: WEIR_RTC_PORT: \"x\" is not a whole number"},
        {"WEIR_DEMO=maybe", NULL, NULL, "WEIR_DEMO: \"maybe\" is not true or false\n"},
        {NULL, "--log-level", "loud",
         "--log-level: \"loud\" is not one of error, warn, info, debug\n"},
        {NULL, "--listen", "8080", "--listen: \"8080\" is not ADDRESS:PORT"},
        {NULL, "--listen", "example.org:80", "--listen: \"example.org:80\" is not ADDRESS:PORT"},
        {NULL, "--listen", "::1:80", "--listen: \"::1:80\" is not ADDRESS:PORT"},
        {NULL, "--rtc-address", "192.0.2.1,192.0.2.256", "\" is not an IP address\n"},
        {NULL, "--stun", "stun.example.org", "--stun: \"stun.example.org\" is not HOST:PORT"},
        {NULL, "--turn-url", "https://x", "--turn-url: \"https://x\" is not a TURN URL"},
        {NULL, "--allowed-origins", "https://a.example/", " is not an origin, such as"},
        {NULL, "--rtcport", "1", "--rtcport: there is no such option; did you mean rtc-port?\n"},
        {NULL, "--no-workers", NULL,
         "--no-workers: there is no such option; did you mean workers?\n"},
        {NULL, "--zzzzzz", NULL, "--zzzzzz: there is no such option\n"},
        {NULL, "serve", NULL, "serve: not an option; options start with --\n"},
        {"WEIR_RTCPORT=1", NULL, NULL,
         "WEIR_RTCPORT: there is no such option; did you mean rtc-port?\n"},
        {NULL, "--no-demo", NULL, "weir: demo: is off and there is no secret-file"},
        {NULL, "--tls-cert", "/dev/null", "weir: tls-cert: /dev/null: is empty\n"},
        {NULL, "--tls-cert", "/nonexistent", "tls-cert: /nonexistent: No such file or directory\n"},
        {NULL, "--tls-cert", "/etc/passwd", "weir: tls-cert is given without tls-key\n"},
        {NULL, "--turn-secret", "x", "weir: turn-secret is given without turn-url\n"},
        {NULL, "--secret-file", "/nonexistent", "secret-file: /nonexistent: No such file"},
        {NULL, "--secret-file", "/dev/null",
         "secret-file: /dev/null: does not hold 32 to 4096 bytes"},
        {NULL, "--config", "/nonexistent", "config: /nonexistent: No such file or directory\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = load(ARGS(rows[i].variable),
                          ARGS("--workers=8", rows[i].flag, rows[i].flag ? rows[i].value : NULL));
        CHECK_INT(status, 2);
        if (strstr(loaded.err, rows[i].said) == NULL)
            test_fail(__FILE__, __LINE__, "row %zu: \"%s\" is not in: %s", i, rows[i].said,
                      loaded.err);
        unload();
    }
}

static void all_errors_are_told_at_once_also_of_hidden_values(void) {
    const char *path = write_file("workers = many\n  nosuch = 1\nbroken line\nlisten =\n");
    char said[256];
    CHECK_INT(load(ARGS("WEIR_WORKERS=0x"), ARGS("--config", path, "--workers=2", "--rtc-port=y")),
              2);
    snprintf(said, sizeof(said), "weir: %s:1: workers: \"many\" is not", path);
    CHECK(strstr(loaded.err, said) != NULL);
    snprintf(said, sizeof(said), "weir: %s:2: nosuch: there is no such option", path);
    CHECK(strstr(loaded.err, said) != NULL);
    snprintf(said, sizeof(said), "weir: %s:3: not a line of NAME = VALUE", path);
    CHECK(strstr(loaded.err, said) != NULL);
    CHECK(strstr(loaded.err, "WEIR_WORKERS") != NULL);
    CHECK(strstr(loaded.err, "--rtc-port") != NULL);
    unload();
    unlink(path);
}

static void long_lines_are_refused_and_the_rest_is_read(void) {
    char text[10000];
    memset(text, 'x', sizeof(text));
    memcpy(text, "stun = ", 7);
    strcpy(text + 9000, "\nworkers = many\n");
    const char *path = write_file(text);
    CHECK_INT(load(NULL, ARGS("--config", path)), 2);
    CHECK(strstr(loaded.err, ":1: longer than") != NULL);
    CHECK(strstr(loaded.err, ":2: workers:") != NULL);
    unload();
    unlink(path);
}

static void a_secret_ends_the_demo_unless_it_is_asked_for(void) {
    const char *path = write_file("0123456789abcdef;0123456789abcde\n");
    CHECK_INT(load(NULL, ARGS("--secret-file", path)), SIG_CONFIG_RUN);
    CHECK_STR(loaded.config.secret, "0123456789abcdef;0123456789abcde");
    CHECK(!loaded.config.demo);
    unload();
    CHECK_INT(load(NULL, ARGS("--demo", "--secret-file", path)), SIG_CONFIG_RUN);
    CHECK(loaded.config.demo);
    unload();
    unlink(path);
}

static void the_checked_configuration_can_be_loaded_again(void) {
    CHECK_INT(load(NULL, ARGS("--check-config", "--workers=3", "--listen=0.0.0.0:80,[::]:80",
                              "--turn-url=turn:t.example.org:3478", "--turn-secret=hush")),
              0);
    CHECK(strstr(loaded.out, "workers = 3\n") != NULL);
    CHECK(strstr(loaded.out, "listen = 0.0.0.0:80, [::]:80\n") != NULL);
    CHECK(strstr(loaded.out, "demo = true\n") != NULL);
    CHECK(strstr(loaded.out, "hush") == NULL);
    char *again = strstr(loaded.out, "turn-url = ");
    CHECK(again != NULL);
    memset(again, '#', 1); /* Its secret is not shown, so it would stand alone. */
    const char *path = write_file(loaded.out);
    unload();
    CHECK_INT(load(NULL, ARGS("--config", path)), SIG_CONFIG_RUN);
    CHECK_INT(loaded.config.workers, 3);
    CHECK_INT(loaded.config.listen.count, 2);
    unload();
    unlink(path);
}

static void help_and_version_are_printed_whatever_else_is_wrong(void) {
    CHECK_INT(load(NULL, ARGS("--help")), 0);
    CHECK(strstr(loaded.out, "\n  --rtc-port PORT ") != NULL);
    CHECK(strstr(loaded.out, "\n  --[no-]demo ") != NULL);
    CHECK(strstr(loaded.out, "WEIR_RTC_PORT") != NULL);
    CHECK_STR(loaded.err, "");
    unload();
    CHECK_INT(load(ARGS("WEIR_WORKERS=x"), ARGS("--version")), 0);
    CHECK(strncmp(loaded.out, "weir ", 5) == 0);
    unload();
}

static void foreign_variables_are_left_alone(void) {
    CHECK_INT(
        load(ARGS("WEIR_BUILD=build", "WEIR_VERSION=1", "WEIR_=", "WEIR", "XWEIR_WORKERS=x"), NULL),
        SIG_CONFIG_RUN);
    unload();
}

static const struct test tests[] = {
    {"without_options_it_is_a_demo_on_localhost", without_options_it_is_a_demo_on_localhost},
    {"flags_win_over_the_environment_and_that_over_the_file",
     flags_win_over_the_environment_and_that_over_the_file},
    {"lists_are_commas_or_repetition_and_replace_weaker_ones",
     lists_are_commas_or_repetition_and_replace_weaker_ones},
    {"every_wrong_value_is_named_with_its_source_and_what_is_right",
     every_wrong_value_is_named_with_its_source_and_what_is_right},
    {"all_errors_are_told_at_once_also_of_hidden_values",
     all_errors_are_told_at_once_also_of_hidden_values},
    {"long_lines_are_refused_and_the_rest_is_read", long_lines_are_refused_and_the_rest_is_read},
    {"a_secret_ends_the_demo_unless_it_is_asked_for",
     a_secret_ends_the_demo_unless_it_is_asked_for},
    {"the_checked_configuration_can_be_loaded_again",
     the_checked_configuration_can_be_loaded_again},
    {"help_and_version_are_printed_whatever_else_is_wrong",
     help_and_version_are_printed_whatever_else_is_wrong},
    {"foreign_variables_are_left_alone", foreign_variables_are_left_alone},
};

TEST_MAIN(tests)
