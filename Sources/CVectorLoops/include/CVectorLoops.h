/* Loops over many values whose speed depends on what a compiler makes of them, for two sets of vector
   instructions. Rules for every function are in ../README.md. */
#ifndef LAYERBUDGET_CVECTOR_LOOPS_H
#define LAYERBUDGET_CVECTOR_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#define CVEC_NULLABLE _Nullable
#else
#define CVEC_NULLABLE
#endif

/* ---- instructions.c ---- */

/* For tests: whether loops may use AVX2 where the processor has it, which they may until told otherwise. */
void cvec_allow_avx2(bool allowed);

/* Whether the processor has AVX2 with FMA, and whether AVX-512 (F, DQ, VL) as well; whatever tests allow, so that ways do not
   change under them. */
bool cvec_processor_has_fma(void);
bool cvec_processor_has_avx512(void);

/* ---- stripes.c: XXH64's stripes of 32 bytes, at any alignment ---- */

/* Its four accumulators. */
typedef struct cvec_lanes {
  uint64_t a, b, c, d;
} cvec_lanes;

void cvec_hash(const void *bytes, size_t stripes, cvec_lanes *lanes);

/* The same while the stored elements, little endian, are decoded to `values`, of which there are
   32 / size per stripe; whether all of them are finite. Decoding is exact. */
bool cvec_hash_f32_to_f32(const void *bytes, size_t stripes, cvec_lanes *lanes, float *values);
bool cvec_hash_f32_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values);
bool cvec_hash_f64_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values);
bool cvec_hash_bf16_to_f32(const void *bytes, size_t stripes, cvec_lanes *lanes, float *values);
bool cvec_hash_bf16_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values);

/* ---- symmetry.c ---- */

/* Whether a[i][j] and a[j][i] have the same bits for all i and j; `a` is [order][order]. */
bool cvec_is_symmetric_32(const uint32_t *a, size_t order);
bool cvec_is_symmetric_64(const uint64_t *a, size_t order);

/* ---- sums.c: in double precision, in a fixed order ---- */

double cvec_dot_f32(const float *a, const float *b, size_t count);
double cvec_dot_f64(const double *a, const double *b, size_t count);

typedef struct cvec_norms {
  double sum_of_squares, largest_row_sum; /* of magnitudes; nan if one is */
} cvec_norms;

/* Of a [rows][columns], columns a multiple of 8. */
cvec_norms cvec_norms_f32(const float *a, size_t rows, size_t columns);
cvec_norms cvec_norms_f64(const double *a, size_t rows, size_t columns);

/* ---- blocks.c: a block [count][count] on the diagonal, its rows `row_length` apart ---- */

/* Replaces the upper triangle by that of its Cholesky factor's transpose; the first row whose pivot is not above
   0, or count. */
size_t cvec_factorize_f32(float *a, size_t count, size_t row_length);
size_t cvec_factorize_f64(double *a, size_t count, size_t row_length);

/* The inverse of the upper triangle to rows of `width`, of which only the upper triangle is written; it was 0. */
void cvec_invert_f32(const float *a, size_t count, size_t row_length, float *inverse, size_t width);
void cvec_invert_f64(const double *a, size_t count, size_t row_length, double *inverse, size_t width);

/* ---- panels.c: a whole matrix [order][order], U in its upper triangle; for vectors of 32 bytes, worth it where
   cvec_processor_has_fma, or of 64 (`is_wide`), where cvec_processor_has_avx512 ---- */

/* Elements of the memory that a factor of this order, or right-hand sides of so many columns, are worked on in. */
size_t cvec_panel_elements_f32(size_t columns);
size_t cvec_panel_elements_f64(size_t columns);

/* Replaces A by its factor; the first row whose pivot is not above 0, or order. */
size_t cvec_factorize_by_panels_f32(float *a, size_t order, bool is_wide, float *memory);
size_t cvec_factorize_by_panels_f64(double *a, size_t order, bool is_wide, double *memory);

/* U' X = B, X in place of B [order][columns], with `memory` for the order and `rows` for the columns. */
void cvec_solve_left_by_panels_f32(const float *u, size_t order, float *b, size_t columns, bool is_wide,
                                   float *memory, float *rows);
void cvec_solve_left_by_panels_f64(const double *u, size_t order, double *b, size_t columns, bool is_wide,
                                   double *memory, double *rows);

/* X U = B, X in place of B [rows][order]. Its bits depend on `is_wide`, those of the others do not. */
void cvec_solve_right_by_panels_f32(const float *u, size_t order, float *b, size_t rows, bool is_wide,
                                    float *memory);
void cvec_solve_right_by_panels_f64(const double *u, size_t order, double *b, size_t rows, bool is_wide,
                                    double *memory);

/* ---- panels.c: steps of a reduction to a band of 32, A [order][order] by its upper triangle, rows `row_length` apart;
   the same bits with any instructions, worth it where cvec_processor_has_fma ---- */

/* Y = A X for X and Y [order][32]. */
void cvec_multiply_symmetric(const double *a, size_t order, size_t row_length, const double *x, double *y);

/* A -= V W' + W V' in the upper triangle, V' [32][order] with rows `row_length` apart, W [order][32]. */
void cvec_subtract_outer(double *a, size_t order, size_t row_length, const double *v, const double *w,
                         double *memory);
size_t cvec_outer_elements(size_t order);

/* Y = A V' for A [rows][depth], V [count][depth], count a multiple of 32: first Y's first 32 columns [rows][32], then the next. */
void cvec_multiply_transposed(const double *a, size_t rows, size_t depth, size_t row_length, const double *v,
                              size_t count, double *y, double *memory);

/* A -= S V for A [rows][columns], S [rows][depth], V [depth][columns]; `memory` of so many elements serves both. */
void cvec_subtract_product(double *a, size_t rows, size_t columns, size_t row_length, const double *s,
                           const double *v, size_t depth, double *memory);
size_t cvec_product_elements(size_t rows, size_t columns, size_t depth);

/* ---- sweeps.c: the transpose of a Cholesky factor L in the upper triangle of `factor` [order][order] ---- */

/* x := inverse(L L') x, and the same of `second` unless it is null. Elements of x before `first` are 0.
   Sums of the way back are in double precision. */
void cvec_solve_f32(const float *factor, size_t order, float *x, float *CVEC_NULLABLE second,
                    size_t first);
void cvec_solve_f64(const double *factor, size_t order, double *x, double *CVEC_NULLABLE second,
                    size_t first);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
#endif
