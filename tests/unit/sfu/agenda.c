#include "sfu/agenda.h"
#include "tests/unit/test.h"

enum { COUNT = 500 };

static struct sfu_deadline deadlines[COUNT];

static void open_agenda(struct sfu_agenda *agenda) {
    sfu_agenda_init(agenda);
    CHECK_INT(sfu_agenda_reserve(agenda, COUNT), 0);
}

static void gives_deadlines_in_order(void) {
    struct sfu_agenda agenda;
    open_agenda(&agenda);
    for (uint64_t i = 0; i < COUNT; i++)
        sfu_agenda_set(&agenda, &deadlines[i], 1000 + i * 263 % COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK_INT(sfu_agenda_next(&agenda), 1000 + i);
        CHECK(sfu_agenda_take_due(&agenda, 999 + i) == NULL);
        CHECK_INT(sfu_agenda_take_due(&agenda, 1000 + i)->at_us, 1000 + i);
    }
    CHECK_INT(sfu_agenda_next(&agenda), UINT64_MAX);
    sfu_agenda_deinit(&agenda);
}

static void moves_a_deadline_both_ways(void) {
    struct sfu_agenda agenda;
    open_agenda(&agenda);
    for (uint64_t i = 0; i < 3; i++)
        sfu_agenda_set(&agenda, &deadlines[i], 10 * (i + 1));
    sfu_agenda_set(&agenda, &deadlines[0], 40);
    CHECK_INT(sfu_agenda_next(&agenda), 20);
    sfu_agenda_set(&agenda, &deadlines[2], 5);
    CHECK(sfu_agenda_take_due(&agenda, 100) == &deadlines[2]);
    CHECK(sfu_agenda_take_due(&agenda, 100) == &deadlines[1]);
    CHECK(sfu_agenda_take_due(&agenda, 100) == &deadlines[0]);
    sfu_agenda_deinit(&agenda);
}

static void hurries_but_never_delays(void) {
    struct sfu_agenda agenda;
    open_agenda(&agenda);
    sfu_agenda_hurry(&agenda, &deadlines[0], 50);
    sfu_agenda_hurry(&agenda, &deadlines[0], 70);
    CHECK_INT(sfu_agenda_next(&agenda), 50);
    sfu_agenda_hurry(&agenda, &deadlines[0], 30);
    CHECK_INT(sfu_agenda_next(&agenda), 30);
    sfu_agenda_deinit(&agenda);
}

static void takes_out_from_anywhere(void) {
    struct sfu_agenda agenda;
    open_agenda(&agenda);
    for (uint64_t i = 0; i < COUNT; i++)
        sfu_agenda_set(&agenda, &deadlines[i], i * 7 % COUNT);
    for (uint64_t i = 0; i < COUNT; i += 3)
        sfu_agenda_set(&agenda, &deadlines[i], UINT64_MAX);
    sfu_agenda_set(&agenda, &deadlines[0], UINT64_MAX); /* Once more does nothing. */
    uint64_t last = 0;
    size_t left = 0;
    for (struct sfu_deadline *due; (due = sfu_agenda_take_due(&agenda, COUNT)) != NULL; left++) {
        CHECK(due->at_us >= last);
        CHECK((size_t)(due - deadlines) % 3 != 0);
        last = due->at_us;
    }
    CHECK_INT(left, COUNT - (COUNT + 2) / 3);
    sfu_agenda_deinit(&agenda);
}

static const struct test tests[] = {
    {"gives_deadlines_in_order", gives_deadlines_in_order},
    {"moves_a_deadline_both_ways", moves_a_deadline_both_ways},
    {"hurries_but_never_delays", hurries_but_never_delays},
    {"takes_out_from_anywhere", takes_out_from_anywhere},
};

TEST_MAIN(tests)
