#include "support/figures.h"

#include <stdlib.h>
#include <time.h>

double figures_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double figures_median(double *figures, size_t count)
{
    qsort(figures, count, sizeof *figures, by_size);
    return figures[count / 2];
}
