#include "session.h"

#define LARGER(a, b) ((a) > (b) ? (a) : (b))

const int cmpi_success = MPI_SUCCESS;
const int cmpi_thread_funneled = MPI_THREAD_FUNNELED;
const int cmpi_limbs_per_sum = CMPI_LIMBS_PER_SUM;
const int cmpi_sign_words = CMPI_SIGN_WORDS;
const int cmpi_text_capacity =
    1 + LARGER(MPI_MAX_LIBRARY_VERSION_STRING,
               LARGER(MPI_MAX_ERROR_STRING, MPI_MAX_PROCESSOR_NAME));
