/* XXH64 (Yann Collet, Cyan4973/xxHash, doc/xxhash_spec.md), alone and beside decoding. */
#include "instructions.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "stored elements are little endian, and so is every processor this was written for"
#endif

static const uint64_t prime1 = 0x9E3779B185EBCA87, prime2 = 0xC2B2AE3D27D4EB4F;

CVEC_BODY uint64_t word(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  /* Kept out of a vector: AVX2 multiplies 64 bits in many steps, at half the speed of four multiplications. */
  __asm__("" : "+r"(word));
  return word;
}

CVEC_BODY uint64_t mixed(uint64_t lane, uint64_t word) {
  lane += word * prime2;
  return (lane << 31 | lane >> 33) * prime1;
}

CVEC_BODY cvec_lanes after(cvec_lanes lanes, const uint8_t *stripe) {
  return (cvec_lanes){mixed(lanes.a, word(stripe)), mixed(lanes.b, word(stripe + 8)),
                      mixed(lanes.c, word(stripe + 16)), mixed(lanes.d, word(stripe + 24))};
}

void cvec_hash(const void *bytes, size_t stripes, cvec_lanes *lanes) {
  const uint8_t *stripe = bytes;
  cvec_lanes all = *lanes;
  for (size_t index = 0; index < stripes; ++index, stripe += 32) all = after(all, stripe);
  *lanes = all;
}

/* A stripe as vectors of 16 bytes, with which all of this is as fast as with longer ones: the hash is what
   takes the time. */
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

#define LOAD(type, from)                                                                             \
  ({                                                                                                 \
    type vector;                                                                                     \
    memcpy(&vector, from, sizeof vector);                                                            \
    vector;                                                                                          \
  })
#define STORE(to, vector) memcpy(to, &(vector), sizeof(vector))

CVEC_BODY void widen(f32x4 values, double *to) {
  f64x2 low = __builtin_convertvector(__builtin_shufflevector(values, values, 0, 1), f64x2);
  f64x2 high = __builtin_convertvector(__builtin_shufflevector(values, values, 2, 3), f64x2);
  STORE(to, low);
  STORE(to + 2, high);
}

/* Adding 1 to the exponent of a magnitude carries into the sign bit for nan and infinity alone. */
#define RAISED(bits, magnitude, one) (((bits) & (magnitude)) + (one))
#define RAISED_BF16(bits) RAISED(bits, 0x7FFF, 0x0080)
#define RAISED_F32(bits) RAISED(bits, 0x7FFFFFFFu, 0x00800000u)
#define RAISED_F64(bits) RAISED(bits, 0x7FFFFFFFFFFFFFFFu, 0x0010000000000000u)

/* For each stripe: its halves in `low` and `high`, of type `bits`, for the statements given; and the hash. */
#define HASHED(bits, top, ...)                                                                       \
  const uint8_t *stripe = bytes;                                                                     \
  cvec_lanes all = *lanes;                                                                           \
  bits any = {0};                                                                                    \
  for (size_t index = 0; index < stripes; ++index, stripe += 32) {                                   \
    bits low = LOAD(bits, stripe), high = LOAD(bits, stripe + 16);                                   \
    __VA_ARGS__                                                                                      \
    all = after(all, stripe);                                                                        \
  }                                                                                                  \
  *lanes = all;                                                                                      \
  for (size_t lane = 0; lane < sizeof any / sizeof any[0]; ++lane)                                   \
    if (any[lane] >> (top)) return false;                                                            \
  return true;

bool cvec_hash_f32_to_f32(const void *bytes, size_t stripes, cvec_lanes *lanes, float *values) {
  HASHED(u32x4, 31, {
    any |= RAISED_F32(low) | RAISED_F32(high);
    STORE(values, low);
    STORE(values + 4, high);
    values += 8;
  })
}

bool cvec_hash_f32_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values) {
  HASHED(u32x4, 31, {
    any |= RAISED_F32(low) | RAISED_F32(high);
    widen((f32x4)low, values);
    widen((f32x4)high, values + 4);
    values += 8;
  })
}

bool cvec_hash_f64_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values) {
  HASHED(u64x2, 63, {
    any |= RAISED_F64(low) | RAISED_F64(high);
    STORE(values, low);
    STORE(values + 2, high);
    values += 4;
  })
}

/* A BF16 is the upper half of a float. */
#define UPPER_HALVES(x, a, b, c, d)                                                                  \
  (u32x4) __builtin_shufflevector((u16x8){0}, x, 0, 8 + a, 0, 8 + b, 0, 8 + c, 0, 8 + d)

bool cvec_hash_bf16_to_f32(const void *bytes, size_t stripes, cvec_lanes *lanes, float *values) {
  HASHED(u16x8, 15, {
    any |= RAISED_BF16(low) | RAISED_BF16(high);
    u32x4 first = UPPER_HALVES(low, 0, 1, 2, 3), second = UPPER_HALVES(low, 4, 5, 6, 7);
    u32x4 third = UPPER_HALVES(high, 0, 1, 2, 3), fourth = UPPER_HALVES(high, 4, 5, 6, 7);
    STORE(values, first);
    STORE(values + 4, second);
    STORE(values + 8, third);
    STORE(values + 12, fourth);
    values += 16;
  })
}

bool cvec_hash_bf16_to_f64(const void *bytes, size_t stripes, cvec_lanes *lanes, double *values) {
  HASHED(u16x8, 15, {
    any |= RAISED_BF16(low) | RAISED_BF16(high);
    widen((f32x4)UPPER_HALVES(low, 0, 1, 2, 3), values);
    widen((f32x4)UPPER_HALVES(low, 4, 5, 6, 7), values + 4);
    widen((f32x4)UPPER_HALVES(high, 0, 1, 2, 3), values + 8);
    widen((f32x4)UPPER_HALVES(high, 4, 5, 6, 7), values + 12);
    values += 16;
  })
}
