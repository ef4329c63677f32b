/* Which instructions the loops use; asked at every call, so that tests can compare them. */
#include "instructions.h"

#include <stdatomic.h>

static atomic_bool is_allowed = true;

void cvec_allow_avx2(bool allowed) {
  atomic_store_explicit(&is_allowed, allowed, memory_order_relaxed);
}

bool cvec_has_avx2(void) {
#if defined(__x86_64__)
  return atomic_load_explicit(&is_allowed, memory_order_relaxed) && __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

bool cvec_processor_has_fma(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

bool cvec_processor_has_avx512(void) {
#if defined(__x86_64__)
  return cvec_processor_has_fma() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

bool cvec_has_fma(void) { return cvec_has_avx2() && cvec_processor_has_fma(); }

bool cvec_has_avx512(void) { return cvec_has_avx2() && cvec_processor_has_avx512(); }
