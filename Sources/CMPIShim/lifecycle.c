#include <stddef.h>
#include <unistd.h>

#include "session.h"

MPI_Comm cmpi_world = MPI_COMM_NULL;
MPI_Comm cmpi_signs = MPI_COMM_NULL;
MPI_Datatype cmpi_wide_integer = MPI_DATATYPE_NULL;
MPI_Op cmpi_wide_addition = MPI_OP_NULL;

/* inout[i] += in[i], integers of CMPI_LIMBS_PER_SUM words, least significant first. Modular
   addition commutes and associates exactly, so MPI may combine the ranks in any order. */
static void add_wide(void *in, void *inout, int *count, MPI_Datatype *type) {
  (void)type;
  const uint64_t *from = in;
  uint64_t *to = inout;
  for (ptrdiff_t element = 0; element < *count; element += 1) {
    uint64_t carry = 0;
    for (int limb = 0; limb < CMPI_LIMBS_PER_SUM; limb += 1) {
      const uint64_t with_carry = *from + carry; /* wraps only to 0, when carry is 1 */
      const uint64_t sum = *to + with_carry;
      carry = (uint64_t)(with_carry < carry) + (uint64_t)(sum < with_carry);
      *to = sum;
      from += 1;
      to += 1;
    }
  }
}

cmpi_outcome cmpi_initialize(int *thread_level) {
  CMPI_CHECK(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, thread_level));

  /* From here on codes come back to the caller, who checks them all. */
  CMPI_CHECK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  CMPI_CHECK(MPI_Comm_dup(MPI_COMM_WORLD, &cmpi_world));
  CMPI_CHECK(MPI_Comm_set_errhandler(cmpi_world, MPI_ERRORS_RETURN));
  CMPI_CHECK(MPI_Comm_dup(cmpi_world, &cmpi_signs)); /* and its error handler */
  const cmpi_outcome opened = cmpi_signs_open();
  if (opened.code != MPI_SUCCESS) return opened;

  CMPI_CHECK(MPI_Type_contiguous(CMPI_LIMBS_PER_SUM, MPI_UINT64_T, &cmpi_wide_integer));
  CMPI_CHECK(MPI_Type_commit(&cmpi_wide_integer));
  const int commutes = 1;
  CMPI_CHECK(MPI_Op_create(add_wide, commutes, &cmpi_wide_addition));
  return CMPI_DONE;
}

cmpi_outcome cmpi_finalize(void) {
  CMPI_CHECK(MPI_Op_free(&cmpi_wide_addition));
  CMPI_CHECK(MPI_Type_free(&cmpi_wide_integer));
  cmpi_signs_close();
  CMPI_CHECK(MPI_Comm_free(&cmpi_signs));
  CMPI_CHECK(MPI_Comm_free(&cmpi_world));
  CMPI_CHECK(MPI_Finalize());
  return CMPI_DONE;
}

cmpi_outcome cmpi_is_initialized(int *flag) {
  CMPI_CHECK(MPI_Initialized(flag));
  return CMPI_DONE;
}

cmpi_outcome cmpi_is_finalized(int *flag) {
  CMPI_CHECK(MPI_Finalized(flag));
  return CMPI_DONE;
}

cmpi_outcome cmpi_rank(int *rank) {
  CMPI_CHECK(MPI_Comm_rank(cmpi_world, rank));
  return CMPI_DONE;
}

cmpi_outcome cmpi_size(int *size) {
  CMPI_CHECK(MPI_Comm_size(cmpi_world, size));
  return CMPI_DONE;
}

_Noreturn void cmpi_abort(int code) {
  int initialized = 0;
  int finalized = 0;
  const int known = MPI_Initialized(&initialized) == MPI_SUCCESS &&
                    MPI_Finalized(&finalized) == MPI_SUCCESS;
  if (known && initialized && !finalized) {
    (void)MPI_Abort(MPI_COMM_WORLD, code); /* a return from it leaves _exit to do the work */
  }
  _exit(code);
}
