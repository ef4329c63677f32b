/* A block on the diagonal of a matrix that is factorized by products: few rows, in the upper triangle. */
#define LOOPS "blocks_of_number.h"
#include "of_both_numbers.h"

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
