/* Stands in for libFuzzer: runs a harness once over every file of a corpus folder, as a test that
 * needs no clang. Every input that ever crashed a parser is kept there. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    /* Exactly as long as the file, so that reading past the end is seen by the sanitizer. */
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size ? size : 1);
    size_t got = data ? fread(data, 1, size, file) : 0;
    fclose(file);
    int result = got == size && data ? LLVMFuzzerTestOneInput(data, size) : -1;
    free(data);
    return result;
}

int main(int argc, char **argv) {
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        /* Flushed first: a crash leaves the name of its input as the last line. */
        printf("input %s\n", entry->d_name);
        fflush(stdout);
        int result = replay_file(argv[1], entry->d_name);
        printf("%s - %s\n", result == 0 ? "ok" : "not ok", entry->d_name);
        failed += result != 0;
    }
    closedir(folder);
    return failed > 0;
}
