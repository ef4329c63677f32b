/* Private to CMPIShim: the handles of the one session of this process, and the checked call. */
#ifndef LAYERBUDGET_CMPI_SESSION_H
#define LAYERBUDGET_CMPI_SESSION_H

#include <mpi.h>

#include "CMPIShim.h"

#define CMPI_LIMBS_PER_SUM 3

/* Written by cmpi_initialize and cmpi_finalize alone. */
extern MPI_Comm cmpi_world;
extern MPI_Datatype cmpi_wide_integer;
extern MPI_Op cmpi_wide_addition;

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
