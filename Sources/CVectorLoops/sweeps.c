/* Solves with few right-hand sides, each element of the factor read once per way for all of them. */

/* Two by two, so that the order is the same everywhere. A macro, as a vector of 32 bytes that is handed to a
   function is handed over differently with and without AVX2. */
#define SUM(v) (((v)[0] + (v)[2]) + ((v)[1] + (v)[3]))

#define LOOPS "sweeps_of_number.h"
#include "of_both_numbers.h"

CVEC_FOR_BOTH(void, cvec_solve_f32, solve_f32,
              (const float *factor, size_t order, float *x, float *second, size_t first),
              (factor, order, x, second, first))
CVEC_FOR_BOTH(void, cvec_solve_f64, solve_f64,
              (const double *factor, size_t order, double *x, double *second, size_t first),
              (factor, order, x, second, first))
