/* Private: includes LOOPS for each of the two types, with `Number`, NAMED(function), ROOT(number) and FOUR(from), four
   numbers as doubles. */
#include "instructions.h"

typedef double f64x4 __attribute__((vector_size(32)));
typedef float four_f32 __attribute__((vector_size(16), aligned(4)));
typedef double four_f64 __attribute__((vector_size(32), aligned(8)));

#define Number float
#define NAMED(function) function##_f32
#define ROOT __builtin_sqrtf
#define FOUR(from) __builtin_convertvector(*(const four_f32 *)(from), f64x4)
#include LOOPS
#undef Number
#undef NAMED
#undef ROOT
#undef FOUR

#define Number double
#define NAMED(function) function##_f64
#define ROOT __builtin_sqrt
#define FOUR(from) (*(const four_f64 *)(from))
#include LOOPS
