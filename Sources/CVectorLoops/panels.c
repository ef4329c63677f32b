/* A Cholesky factor of a whole matrix, in the upper triangle.

   DEPTH rows are finished at a time, kept a second time in panels, PANEL columns side by side whose rows follow
   each other in memory, and taken from all rows below. A tile of ROWS rows of a panel is 12, 16 or 24 vectors, which
   stay in registers while the rows above pass by. Every element is the one it was, minus the sum of a product for
   each row of a block above it, block by block, then minus the products of its own block one by one, times the
   reciprocal of its pivot; each product is added with one rounding. So vectors do not show in the bits.

   Panels and tiles are for vectors of 32 bytes, which means AVX2 with FMA, or of 64, which means AVX-512; a
   processor without them takes a call per product: this is right everywhere and fast only there. */
#include "instructions.h"

/* DEPTH rows are taken from those below at a time; of those, so many that shares for all of them stay in the second
   cache. */
enum { DEPTH = 96, GROUP = 96, BAND = 32 };

static inline size_t panels_of(size_t order, size_t panel) { return (order + panel - 1) / panel; }

/* DEPTH rows of every panel, and for each a reciprocal or a row of an inverse; enough for either width. */
static inline size_t elements_of(size_t columns, size_t widest) { return DEPTH * (columns + 2 * widest); }

size_t cvec_panel_elements_f32(size_t columns) { return elements_of(columns, 32); }
size_t cvec_panel_elements_f64(size_t columns) { return elements_of(columns, 24); }

typedef float f32x8 __attribute__((vector_size(32), aligned(4)));
typedef double f64x4 __attribute__((vector_size(32), aligned(8)));
typedef float f32x16 __attribute__((vector_size(64), aligned(4)));
typedef double f64x8 __attribute__((vector_size(64), aligned(8)));
#define ALL_4(x) x, x, x, x
#define ALL_8(x) ALL_4(x), ALL_4(x)
#define ALL_16(x) ALL_8(x), ALL_8(x)

/* The vector that begins at an element. */
#define AT(from) (*(Vector *)(from))

/* a * b + c with one rounding. */
#define FUSED __builtin_elementwise_fma

#define CVEC_FUSED CVEC_BODY
#define CVEC_LOOP static __attribute__((noinline))
#define KEEP_ORDER(count, sums, pointer)
#define OF_SET(function, type) function##_##type##_plain
#define VECTOR_BYTES 32
#include "panels_of_both_numbers.h"
#undef OF_SET
#define OF_SET(function, type) function##_##type##_plain_wide
#define VECTOR_BYTES 64
#include "panels_of_both_numbers.h"

#if defined(__x86_64__)
#undef CVEC_FUSED
#undef CVEC_LOOP
#undef KEEP_ORDER
#undef OF_SET
#define CVEC_FUSED static inline __attribute__((always_inline, target("avx2,fma")))
#define CVEC_LOOP static __attribute__((noinline, target("avx2,fma")))
/* Without it the compiler fetches shares of two rows at once, and has no register left for one of the sums. */
#define KEEP_ORDER(count, sums, pointer) KEEP_ORDER_OF(count)(sums, pointer)
#define KEEP_ORDER_OF(count) KEEP_ORDER_OF_(count)
#define KEEP_ORDER_OF_(count) KEEP_ORDER_OF_##count
#define KEEP_ORDER_OF_2(sums, pointer) __asm__ volatile("" : "+v"((sums)[0]), "+v"((sums)[1]), "+r"(pointer))
#define KEEP_ORDER_OF_3(sums, pointer)                                                               \
  __asm__ volatile("" : "+v"((sums)[0]), "+v"((sums)[1]), "+v"((sums)[2]), "+r"(pointer))
#define KEEP_ORDER_OF_4(sums, pointer)                                                               \
  __asm__ volatile(""                                                                                \
                   : "+v"((sums)[0]), "+v"((sums)[1]), "+v"((sums)[2]), "+v"((sums)[3]), "+r"(pointer))
#define OF_SET(function, type) function##_##type##_fma
#define VECTOR_BYTES 32
#include "panels_of_both_numbers.h"

#undef CVEC_FUSED
#undef CVEC_LOOP
#undef OF_SET
#define CVEC_FUSED static inline __attribute__((always_inline, target("avx512f,avx512dq,avx512vl,fma")))
#define CVEC_LOOP static __attribute__((noinline, target("avx512f,avx512dq,avx512vl,fma")))
#define OF_SET(function, type) function##_##type##_avx512
#define VECTOR_BYTES 64
#include "panels_of_both_numbers.h"
#define CVEC_EITHER(function, type, is_wide, ...)                                                    \
  (is_wide ? cvec_has_avx512() ? function##_##type##_avx512(__VA_ARGS__)                             \
                               : function##_##type##_plain_wide(__VA_ARGS__)                         \
   : cvec_has_fma() ? function##_##type##_fma(__VA_ARGS__)                                           \
                    : function##_##type##_plain(__VA_ARGS__))
#else
#define CVEC_EITHER(function, type, is_wide, ...)                                                    \
  (is_wide ? function##_##type##_plain_wide(__VA_ARGS__) : function##_##type##_plain(__VA_ARGS__))
#endif

size_t cvec_factorize_by_panels_f32(float *a, size_t order, bool is_wide, float *memory) {
  return CVEC_EITHER(factorize, f32, is_wide, a, order, memory);
}

size_t cvec_factorize_by_panels_f64(double *a, size_t order, bool is_wide, double *memory) {
  return CVEC_EITHER(factorize, f64, is_wide, a, order, memory);
}

void cvec_solve_left_by_panels_f32(const float *u, size_t order, float *b, size_t columns, bool is_wide,
                                   float *memory, float *rows) {
  CVEC_EITHER(solve_left, f32, is_wide, u, order, b, columns, memory, rows);
}

void cvec_solve_left_by_panels_f64(const double *u, size_t order, double *b, size_t columns, bool is_wide,
                                   double *memory, double *rows) {
  CVEC_EITHER(solve_left, f64, is_wide, u, order, b, columns, memory, rows);
}

void cvec_solve_right_by_panels_f32(const float *u, size_t order, float *b, size_t rows, bool is_wide,
                                    float *memory) {
  CVEC_EITHER(solve_right, f32, is_wide, u, order, b, rows, memory);
}

void cvec_solve_right_by_panels_f64(const double *u, size_t order, double *b, size_t rows, bool is_wide,
                                    double *memory) {
  CVEC_EITHER(solve_right, f64, is_wide, u, order, b, rows, memory);
}

size_t cvec_outer_elements(size_t order) { return 4 * BAND * panels_of(order, 24) * 24; }

void cvec_multiply_symmetric(const double *a, size_t order, size_t row_length, const double *x, double *y) {
  CVEC_EITHER(multiply_symmetric, f64, cvec_has_avx512(), a, order, row_length, x, y);
}

void cvec_subtract_outer(double *a, size_t order, size_t row_length, const double *v, const double *w,
                         double *memory) {
  CVEC_EITHER(subtract_outer, f64, cvec_has_avx512(), a, order, row_length, v, w, memory);
}

void cvec_multiply_transposed(const double *a, size_t rows, size_t depth, size_t row_length, const double *v,
                              size_t count, double *y, double *memory) {
  CVEC_EITHER(multiply_transposed, f64, cvec_has_avx512(), a, rows, depth, row_length, v, count, y, memory);
}

void cvec_subtract_product(double *a, size_t rows, size_t columns, size_t row_length, const double *s,
                           const double *v, size_t depth, double *memory) {
  CVEC_EITHER(subtract_product, f64, cvec_has_avx512(), a, rows, columns, row_length, s, v, depth, memory);
}

size_t cvec_product_elements(size_t rows, size_t columns, size_t depth) {
  size_t tile = DEPTH * BAND, panels = depth * (panels_of(rows, 24) + panels_of(columns, 24)) * 24;
  return tile > panels ? tile : panels;
}
