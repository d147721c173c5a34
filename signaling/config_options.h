/* The table of options, and what can be done with one: set it, check it, print it. Private to
 * config. */
#ifndef SIGNALING_CONFIG_OPTIONS_H
#define SIGNALING_CONFIG_OPTIONS_H

#include "signaling/config.h"

enum sig_option_kind {
    SIG_OPTION_ACTION, /* A flag only, without a value: --help. */
    SIG_OPTION_BOOL,
    SIG_OPTION_INT,
    SIG_OPTION_WORD, /* An enum by the index of its word. */
    SIG_OPTION_TEXT,
    SIG_OPTION_LIST,
};

struct sig_option {
    const char *heading; /* Starts a group in the help. */
    const char *name;
    enum sig_option_kind kind;
    size_t offset;        /* In struct sig_config. */
    const char *fallback; /* As it would be written; NULL: none. */
    const char *value;    /* Its name in the help: PORT. */
    const char *help;
    int min, max;                        /* INT. */
    const char *const *words;            /* WORD, NULL-terminated. */
    bool (*is_right)(const char *value); /* TEXT and each of LIST; NULL: anything. */
    const char *right;                   /* What is_right wants, after "is not". */
    bool is_hidden;                      /* A secret: not printed. */
};

extern const struct sig_option sig_options[];
extern const size_t sig_option_count;

/* The option of this name, or NULL. */
const struct sig_option *sig_option_find(const char *name);

/* The option whose name is near enough to be meant, or NULL. */
const struct sig_option *sig_option_nearest(const char *name);

/* Sets the option in config, after what is there for a list when append is true. An empty text or
 * list means none. Returns 0, or -EINVAL with config untouched and what would be right in right, or
 * -ENOMEM. */
int sig_option_set(const struct sig_option *option, struct sig_config *config, const char *value,
                   bool append, char *right, size_t right_size);

/* Prints the help, from the table. */
void sig_option_print_help(FILE *out);

/* Prints config in the form of the configuration file. */
void sig_option_print_config(const struct sig_config *config, FILE *out);

/* Frees what the option owns in config. */
void sig_option_clear(const struct sig_option *option, struct sig_config *config);

#endif
