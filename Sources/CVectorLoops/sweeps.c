/* Solves with few right-hand sides, each element of the factor read once per way for all of them. */
#include "instructions.h"

typedef double f64x4 __attribute__((vector_size(32)));
typedef float four_f32 __attribute__((vector_size(16), aligned(4)));
typedef double four_f64 __attribute__((vector_size(32), aligned(8)));

/* Two by two, so that the order is the same everywhere. A macro, as a vector of 32 bytes that is handed to a
   function is handed over differently with and without AVX2. */
#define SUM(v) (((v)[0] + (v)[2]) + ((v)[1] + (v)[3]))

#define Number float
#define NAMED(function) function##_f32
#define FOUR(from) __builtin_convertvector(*(const four_f32 *)(from), f64x4)
#include "sweeps_of_number.h"
#undef Number
#undef NAMED
#undef FOUR

#define Number double
#define NAMED(function) function##_f64
#define FOUR(from) (*(const four_f64 *)(from))
#include "sweeps_of_number.h"
#undef Number
#undef NAMED
#undef FOUR

CVEC_FOR_BOTH(void, cvec_solve_f32, solve_f32,
              (const float *factor, size_t order, float *x, float *second,
               size_t first),
              (factor, order, x, second, first))
CVEC_FOR_BOTH(void, cvec_solve_f64, solve_f64,
              (const double *factor, size_t order, double *x, double *second,
               size_t first),
              (factor, order, x, second, first))
