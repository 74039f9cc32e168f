#include "support/e2e.h"

const struct e2e_test e2e_queue_console[] = {
    { NULL, NULL },
};
