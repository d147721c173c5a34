/* The configuration from its four sources. Flags are read first and defaults last, so that a source
 * only ever fills what no stronger one has given; wrong values are reported wherever they are. */
#include "signaling/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signaling/config_options.h"

#define ENVIRONMENT_PREFIX "WEIR_"
#define NAME_SIZE 64
#define WHERE_SIZE 512
#define FILE_LINE_MAX 4096
/* RFC 7518 section 3.2: the key of HS256 has at least 256 bits. */
#define SECRET_BYTES_MIN 32
#define SECRET_BYTES_MAX 4096

enum source { SOURCE_NONE, SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

struct loader {
    /* Given. */
    struct sig_config *config;
    FILE *err;
    /* State. */
    enum source sources[128]; /* By option: the strongest that gave it. */
    bool actions[128];        /* By option: asked for. */
    int error_count;
    /* The file being read. */
    FILE *file;
    int line;
};

__attribute__((format(printf, 2, 3))) static void complain(struct loader *loader,
                                                           const char *format, ...) {
    va_list args;
    fputs("weir: ", loader->err);
    va_start(args, format);
    vfprintf(loader->err, format, args);
    va_end(args);
    fputc('\n', loader->err);
    loader->error_count++;
}

static void complain_unknown(struct loader *loader, const char *where, const char *name) {
    const struct sig_option *nearest = sig_option_nearest(name);
    complain(loader, "%s: there is no such option%s%s%s", where, nearest ? "; did you mean " : "",
             nearest ? nearest->name : "", nearest ? "?" : "");
}

static size_t index_of(const struct sig_option *option) {
    return (size_t)(option - sig_options);
}

static void give(struct loader *loader, const struct sig_option *option, const char *value,
                 enum source source, const char *where) {
    enum source *given = &loader->sources[index_of(option)];
    struct sig_config unused = {.rtc_port = 0};
    char right[256] = "";
    /* A value that a stronger source hides is checked all the same. */
    bool is_hidden = *given > source;
    int error = sig_option_set(option, is_hidden ? &unused : loader->config, value,
                               *given == source, right, sizeof(right));
    if (is_hidden)
        sig_option_clear(option, &unused);
    else if (error == 0)
        *given = source;
    if (error == -EINVAL)
        complain(loader, "%s: \"%s\" is not %s", where, option->is_hidden ? "…" : value, right);
    else if (error != 0)
        complain(loader, "%s: %s", where, strerror(-error));
}

/* One argument, and the one after it where it is the value. Returns how many were used. */
static int read_flag(struct loader *loader, const char *argument, const char *next) {
    char name[NAME_SIZE] = "";
    char where[WHERE_SIZE];
    const char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) : strlen(argument);
    snprintf(where, sizeof(where), "%.*s", (int)len, argument);
    if (strncmp(argument, "--", 2) != 0 || len - 2 >= sizeof(name)) {
        complain(loader, "%s: not an option; options start with --", argument);
        return 1;
    }
    memcpy(name, argument + 2, len - 2);
    const struct sig_option *option = sig_option_find(name);
    const struct sig_option *negated =
        strncmp(name, "no-", 3) == 0 ? sig_option_find(name + 3) : NULL;
    if (option == NULL && negated && negated->kind == SIG_OPTION_BOOL && equals == NULL)
        give(loader, negated, "false", SOURCE_FLAG, where);
    else if (option == NULL)
        complain_unknown(loader, where, name);
    else if (option->kind == SIG_OPTION_ACTION && equals == NULL)
        loader->actions[index_of(option)] = true;
    else if (equals)
        give(loader, option, equals + 1, SOURCE_FLAG, where);
    else if (option->kind == SIG_OPTION_BOOL)
        give(loader, option, "true", SOURCE_FLAG, where);
    else if (next == NULL || strncmp(next, "--", 2) == 0)
        complain(loader, "%s: needs a value: %s %s", where, where, option->value);
    else {
        give(loader, option, next, SOURCE_FLAG, where);
        return 2;
    }
    return 1;
}

static void read_flags(struct loader *loader, int argc, char **argv) {
    for (int i = 1; i < argc;)
        i += read_flag(loader, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
}

/* A foreign WEIR_ variable is not an error, since others may have some; one that nearly is ours is.
 */
static void read_variable(struct loader *loader, const char *variable) {
    char name[NAME_SIZE] = "";
    char where[WHERE_SIZE];
    const char *equals = strchr(variable, '=');
    size_t prefix = strlen(ENVIRONMENT_PREFIX);
    size_t len = equals ? (size_t)(equals - variable) : 0;
    if (len <= prefix || len - prefix >= sizeof(name))
        return;
    for (size_t i = prefix; i < len; i++)
        name[i - prefix] = variable[i] == '_' ? '-' : (char)tolower((unsigned char)variable[i]);
    snprintf(where, sizeof(where), "%.*s", (int)len, variable);
    const struct sig_option *option = sig_option_find(name);
    if (option && option->kind != SIG_OPTION_ACTION)
        give(loader, option, equals + 1, SOURCE_ENVIRONMENT, where);
    else if (option == NULL && sig_option_nearest(name))
        complain_unknown(loader, where, name);
}

static void read_environment(struct loader *loader, char **envp) {
    for (; envp && *envp; envp++)
        if (strncmp(*envp, ENVIRONMENT_PREFIX, strlen(ENVIRONMENT_PREFIX)) == 0)
            read_variable(loader, *envp);
}

/* Stands in for fgets, to know the number of the line. */
static char *read_line(char *line, int size, void *user) {
    struct loader *loader = user;
    char *got = fgets(line, size, loader->file);
    if (got == NULL)
        return NULL;
    loader->line++;
    if (strchr(line, '\n') == NULL && !feof(loader->file)) {
        complain(loader, "%s:%d: longer than %d bytes", loader->config->config_file, loader->line,
                 size - 2);
        for (int c; (c = fgetc(loader->file)) != '\n' && c != EOF;)
            continue;
        line[0] = '\0';
    }
    return line;
}

static int on_file_value(void *user, const char *section, const char *name, const char *value) {
    struct loader *loader = user;
    char where[WHERE_SIZE];
    (void)section; /* For the reader's order only. */
    snprintf(where, sizeof(where), "%s:%d: %s", loader->config->config_file, loader->line, name);
    const struct sig_option *option = sig_option_find(name);
    if (option == NULL || option->kind == SIG_OPTION_ACTION || strcmp(name, "config") == 0)
        complain_unknown(loader, where, name);
    else
        give(loader, option, value, SOURCE_FILE, where);
    return 1;
}

static void read_file(struct loader *loader) {
    const char *path = loader->config->config_file;
    if (path == NULL)
        return;
    loader->file = fopen(path, "re");
    if (loader->file == NULL) {
        complain(loader, "config: %s: %s", path, strerror(errno));
        return;
    }
    ini_allow_multiline = false;       /* A line is an option, however it is indented. */
    ini_allow_inline_comments = false; /* A secret may have a semicolon. */
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_initial_alloc = FILE_LINE_MAX;
    ini_max_line = FILE_LINE_MAX;
    int line = ini_parse_stream(read_line, loader, on_file_value, loader);
    if (line > 0)
        complain(loader, "%s:%d: not a line of NAME = VALUE", path, line);
    else if (line < 0 || ferror(loader->file))
        complain(loader, "config: %s: cannot be read", path);
    fclose(loader->file);
}

static void give_defaults(struct loader *loader) {
    for (size_t i = 0; i < sig_option_count; i++)
        if (sig_options[i].fallback && loader->sources[i] == SOURCE_NONE)
            give(loader, &sig_options[i], sig_options[i].fallback, SOURCE_DEFAULT,
                 sig_options[i].name);
}

/* What the file holds without its last newline, or NULL after complaining. */
static char *read_secret(struct loader *loader, const char *name, const char *path) {
    char secret[SECRET_BYTES_MAX + 2];
    char *copy = NULL;
    FILE *file = path ? fopen(path, "re") : NULL;
    if (path && file == NULL)
        complain(loader, "%s: %s: %s", name, path, strerror(errno));
    if (file == NULL)
        return NULL;
    size_t len = fread(secret, 1, sizeof(secret) - 1, file);
    bool failed = ferror(file);
    fclose(file);
    if (len > 0 && secret[len - 1] == '\n')
        len--;
    if (len > 0 && secret[len - 1] == '\r')
        len--;
    secret[len] = '\0';
    if (failed || len < SECRET_BYTES_MIN || len > SECRET_BYTES_MAX || strlen(secret) != len)
        complain(loader, "%s: %s: %s %d to %d bytes of text", name, path,
                 failed ? "cannot be read; it holds" : "does not hold", SECRET_BYTES_MIN,
                 SECRET_BYTES_MAX);
    else if ((copy = strdup(secret)) == NULL)
        complain(loader, "%s: %s", name, strerror(ENOMEM));
    explicit_bzero(secret, sizeof(secret));
    return copy;
}

static void read_secrets(struct loader *loader) {
    struct sig_config *config = loader->config;
    config->secret = read_secret(loader, "secret-file", config->secret_file);
    if (config->webhook_url == NULL)
        return;
    if (config->webhook_secret_file)
        config->webhook_secret =
            read_secret(loader, "webhook-secret-file", config->webhook_secret_file);
    else if (config->secret)
        config->webhook_secret = strdup(config->secret);
    else if (config->secret_file == NULL)
        complain(loader, "webhook-url: needs a webhook-secret-file, or a secret-file");
}

static void check_readable(struct loader *loader, const char *name, const char *path) {
    FILE *file = path ? fopen(path, "re") : NULL;
    if (path && (file == NULL || fgetc(file) == EOF))
        complain(loader, "%s: %s: %s", name, path, file ? "is empty" : strerror(errno));
    if (file)
        fclose(file);
}

static void check_pair(struct loader *loader, const char *a, const char *a_value, const char *b,
                       const char *b_value) {
    if ((a_value == NULL) != (b_value == NULL))
        complain(loader, "%s is given without %s", a_value ? a : b, a_value ? b : a);
}

/* systemd's folder, else where programs of a user keep their state (XDG Base Directory 0.8). */
static char *default_data(void) {
    const char *state = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int len;
    if (state && state[0] == '/')
        len = asprintf(&path, "%.*s", (int)strcspn(state, ":"), state);
    else if (xdg && xdg[0] == '/')
        len = asprintf(&path, "%s/weir", xdg);
    else if (home && home[0] == '/')
        len = asprintf(&path, "%s/.local/state/weir", home);
    else
        len = asprintf(&path, "/var/lib/weir");
    return len < 0 ? NULL : path;
}

static char *default_server_name(void) {
    char name[256] = "";
    gethostname(name, sizeof(name) - 1);
    return strdup(name[0] ? name : "weir");
}

static void resolve_storage(struct loader *loader) {
    struct sig_config *config = loader->config;
    if (!config->data)
        config->data = default_data();
    if (!config->server_name)
        config->server_name = default_server_name();
    if (!config->data || !config->server_name)
        complain(loader, "data: %s", strerror(ENOMEM));
}

/* What only shows when everything has been read. */
static void resolve(struct loader *loader) {
    struct sig_config *config = loader->config;
    read_secrets(loader);
    resolve_storage(loader);
    check_readable(loader, "tls-cert", config->tls_cert);
    check_readable(loader, "tls-key", config->tls_key);
    check_pair(loader, "tls-cert", config->tls_cert, "tls-key", config->tls_key);
    check_pair(loader, "turn-url", config->turn_url, "turn-secret", config->turn_secret);
    if (config->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        config->workers = cores < 1                        ? 1
                          : cores > SIG_CONFIG_WORKERS_MAX ? SIG_CONFIG_WORKERS_MAX
                                                           : (int)cores;
    }
    if (config->rtc_port + config->workers - 1 > UINT16_MAX)
        complain(loader, "rtc-port: %d leaves no ports for %d workers; at most %d",
                 config->rtc_port, config->workers, UINT16_MAX + 1 - config->workers);
    if (config->listen.count == 0)
        complain(loader, "listen: needs an address");
    if (loader->sources[index_of(sig_option_find("demo"))] == SOURCE_NONE)
        config->demo = config->secret_file == NULL;
    else if (!config->demo && config->secret_file == NULL)
        complain(loader, "demo: is off and there is no secret-file: nobody could come in");
}

static bool is_asked(const struct loader *loader, const char *action) {
    return loader->actions[index_of(sig_option_find(action))];
}

int sig_config_load(struct sig_config *config, int argc, char **argv, char **envp, FILE *out,
                    FILE *err) {
    struct loader loader = {.config = config, .err = err};
    memset(config, 0, sizeof(*config));
    read_flags(&loader, argc, argv);
    if (is_asked(&loader, "help")) {
        sig_option_print_help(out);
        return 0;
    }
    if (is_asked(&loader, "version")) {
        fprintf(out, "weir " WEIR_VERSION "\n");
        return 0;
    }
    read_environment(&loader, envp);
    read_file(&loader);
    give_defaults(&loader);
    resolve(&loader);
    if (loader.error_count > 0) {
        fprintf(err, "weir: `weir --help` lists the options\n");
        return 2;
    }
    if (!is_asked(&loader, "check-config"))
        return SIG_CONFIG_RUN;
    sig_option_print_config(config, out);
    return 0;
}

static void forget_secret(char **secret) {
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void sig_config_deinit(struct sig_config *config) {
    for (size_t i = 0; i < sig_option_count; i++)
        sig_option_clear(&sig_options[i], config);
    forget_secret(&config->secret);
    forget_secret(&config->webhook_secret);
}
