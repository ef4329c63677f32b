/* A block on the diagonal of a matrix that is factorized by products: few rows, in the upper triangle. */
#include "instructions.h"

#define Number float
#define NAMED(function) function##_f32
#define ROOT __builtin_sqrtf
#include "blocks_of_number.h"
#undef Number
#undef NAMED
#undef ROOT

#define Number double
#define NAMED(function) function##_f64
#define ROOT __builtin_sqrt
#include "blocks_of_number.h"
#undef Number
#undef NAMED
#undef ROOT

CVEC_FOR_BOTH(size_t, cvec_factorize_f32, factorize_f32,
              (float *a, size_t count, size_t row_length), (a, count, row_length))
CVEC_FOR_BOTH(size_t, cvec_factorize_f64, factorize_f64,
              (double *a, size_t count, size_t row_length), (a, count, row_length))
CVEC_FOR_BOTH(void, cvec_invert_f32, invert_f32,
              (const float *a, size_t count, size_t row_length, float *inverse, size_t width),
              (a, count, row_length, inverse, width))
CVEC_FOR_BOTH(void, cvec_invert_f64, invert_f64,
              (const double *a, size_t count, size_t row_length, double *inverse, size_t width),
              (a, count, row_length, inverse, width))
