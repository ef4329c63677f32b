/* Pairs across the diagonal, in tiles as wide as a cache line, each turned within vectors. */
#include "instructions.h"

typedef uint32_t u32x4 __attribute__((vector_size(16), aligned(4)));
typedef uint64_t u64x2 __attribute__((vector_size(16), aligned(8)));

/* 16 x 16 elements in blocks of 4 x 4: rows that are a multiple of 4 KiB apart share sets of the first
   cache, and 16 of them by turns would not stay there. */
CVEC_BODY uint32_t tile_32(const uint32_t *left, const uint32_t *right, size_t order) {
  u32x4 differences = {0};
  for (size_t i = 0; i < 16; i += 4) {
    for (size_t j = 0; j < 16; j += 4) {
      const uint32_t *l = left + i * order + j, *r = right + j * order + i;
      u32x4 a = *(const u32x4 *)r, b = *(const u32x4 *)(r + order);
      u32x4 c = *(const u32x4 *)(r + 2 * order), d = *(const u32x4 *)(r + 3 * order);
      u32x4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      u32x4 ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      u32x4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      u32x4 cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      differences |= __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5) ^ *(const u32x4 *)l;
      differences |= __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7) ^ *(const u32x4 *)(l + order);
      differences |= __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5) ^ *(const u32x4 *)(l + 2 * order);
      differences |= __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7) ^ *(const u32x4 *)(l + 3 * order);
    }
  }
  return differences[0] | differences[1] | differences[2] | differences[3];
}

/* 8 x 8 elements in blocks of 2 x 2. */
CVEC_BODY uint64_t tile_64(const uint64_t *left, const uint64_t *right, size_t order) {
  u64x2 differences = {0};
  for (size_t i = 0; i < 8; i += 2) {
    for (size_t j = 0; j < 8; j += 2) {
      const uint64_t *l = left + i * order + j, *r = right + j * order + i;
      u64x2 a = *(const u64x2 *)r, b = *(const u64x2 *)(r + order);
      differences |= __builtin_shufflevector(a, b, 0, 2) ^ *(const u64x2 *)l;
      differences |= __builtin_shufflevector(a, b, 1, 3) ^ *(const u64x2 *)(l + order);
    }
  }
  return differences[0] | differences[1];
}

/* Up to the first row of tiles where a pair differs; what is left of the last tiles, pair by pair. */
#define IS_SYMMETRIC(bits, side, tile)                                                               \
  size_t whole = order - order % side;                                                               \
  for (size_t row = 0; row < whole; row += side) {                                                   \
    bits differences = 0;                                                                            \
    for (size_t column = 0; column <= row; column += side)                                           \
      differences |= tile(a + row * order + column, a + column * order + row, order);                \
    if (differences) return false;                                                                   \
  }                                                                                                  \
  for (size_t row = whole; row < order; ++row)                                                       \
    for (size_t column = 0; column < row; ++column)                                                  \
      if (a[row * order + column] != a[column * order + row]) return false;                          \
  return true;

bool cvec_is_symmetric_32(const uint32_t *a, size_t order) { IS_SYMMETRIC(uint32_t, 16, tile_32) }

bool cvec_is_symmetric_64(const uint64_t *a, size_t order) { IS_SYMMETRIC(uint64_t, 8, tile_64) }
