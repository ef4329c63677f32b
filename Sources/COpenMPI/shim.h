/* Open MPI as a module, so that SwiftPM asks pkg-config (`ompi-c`) for its flags. No Swift file
   imports it: almost nothing in mpi.h is visible to Swift. CMPIShim includes <mpi.h> itself. */
#ifndef LAYERBUDGET_COPENMPI_SHIM_H
#define LAYERBUDGET_COPENMPI_SHIM_H

#include <mpi.h>

#endif
