/* Private: one loop compiled for two sets of vector instructions. */
#ifndef LAYERBUDGET_CVEC_INSTRUCTIONS_H
#define LAYERBUDGET_CVEC_INSTRUCTIONS_H

#include "CVectorLoops.h"

#include <string.h>

/* Never a product and a sum in one rounding, whatever the processor: the bits would depend on it. */
#pragma STDC FP_CONTRACT OFF

/* The body of a loop, which becomes part of each function that calls it. */
#define CVEC_BODY static inline __attribute__((always_inline))

/* Whether the processor has AVX2 and the tests allow it. */
bool cvec_has_avx2(void);
bool cvec_has_fma(void);
bool cvec_has_avx512(void);

/* Defines `name` as `body`, once for the instructions of the build and, on x86-64, once for AVX2, chosen
   at every call. By hand and not by target_clones: sanitizers do not survive its resolvers. */
#if defined(__x86_64__) && !defined(__AVX2__)
#define CVEC_FOR_BOTH(result, name, body, parameters, arguments)                                     \
  static __attribute__((target("avx2"), noinline)) result name##_avx2 parameters {                   \
    return body arguments;                                                                           \
  }                                                                                                  \
  result name parameters {                                                                           \
    return cvec_has_avx2() ? name##_avx2 arguments : body arguments;                                 \
  }
#else
#define CVEC_FOR_BOTH(result, name, body, parameters, arguments)                                     \
  result name parameters { return body arguments; }
#endif

#endif
