/* Sums of products in double precision, in eight lanes, so that the order of additions is the same everywhere:
   lane j takes elements j, j + 8, ...; then ((0+4)+(2+6)) + ((1+5)+(3+7)). */
#include <stdint.h>

/* The eight lanes, four of them in each. Macros, as a vector of 32 bytes that is handed to a function is handed
   over differently with and without AVX2. */
#define TOTAL(low, high)                                                                             \
  ((((low)[0] + (high)[0]) + ((low)[2] + (high)[2])) +                                               \
   (((low)[1] + (high)[1]) + ((low)[3] + (high)[3])))

#define MAGNITUDE(v) ((f64x4)((u64x4)(v) & 0x7FFFFFFFFFFFFFFF))
typedef uint64_t u64x4 __attribute__((vector_size(32)));

#define LOOPS "sums_of_number.h"
#include "of_both_numbers.h"

CVEC_FOR_BOTH(double, cvec_dot_f32, dot_f32, (const float *a, const float *b, size_t count),
              (a, b, count))
CVEC_FOR_BOTH(double, cvec_dot_f64, dot_f64, (const double *a, const double *b, size_t count),
              (a, b, count))
CVEC_FOR_BOTH(cvec_norms, cvec_norms_f32, norms_f32, (const float *a, size_t rows, size_t columns),
              (a, rows, columns))
CVEC_FOR_BOTH(cvec_norms, cvec_norms_f64, norms_f64, (const double *a, size_t rows, size_t columns),
              (a, rows, columns))
