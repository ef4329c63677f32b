/* Private to CMPIShim: the handles of the one session of this process, and the checked call. */
#ifndef LAYERBUDGET_CMPI_SESSION_H
#define LAYERBUDGET_CMPI_SESSION_H

#include <mpi.h>

#include "CMPIShim.h"

#define CMPI_LIMBS_PER_SUM 3
#define CMPI_SIGN_WORDS 8

/* Written by cmpi_initialize and cmpi_finalize alone. */
extern MPI_Comm cmpi_world;
extern MPI_Comm cmpi_signs;
extern MPI_Datatype cmpi_wide_integer;
extern MPI_Op cmpi_wide_addition;

/* The messages of cmpi_signs: made after it, freed before it. */
cmpi_outcome cmpi_signs_open(void);
void cmpi_signs_close(void);

/* Returns from the calling function, with the text of the call, unless it succeeded. */
#define CMPI_CHECK(call)                         \
  do {                                           \
    const int cmpi_code = (call);                \
    if (cmpi_code != MPI_SUCCESS) {              \
      return (cmpi_outcome){cmpi_code, #call};   \
    }                                            \
  } while (0)

#define CMPI_DONE ((cmpi_outcome){MPI_SUCCESS, ""})

#endif
