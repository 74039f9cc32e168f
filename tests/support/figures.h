/*
 * Figures of programs that measure.
 *
 * Owns:     nothing.
 * Units:    milliseconds with their fractions.
 * Fails:    never.
 * Threads:  any.
 */
#ifndef SUPPORT_FIGURES_H
#define SUPPORT_FIGURES_H

#include <stddef.h>

/* Monotonic. */
double figures_now_ms(void);

/* Sorts them. */
double figures_median(double *figures, size_t count);

#endif
