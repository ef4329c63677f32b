#include <stddef.h>

#include "session.h"

/* The tag of all our messages; the communicator is ours alone, so nobody else uses it. */
enum { cmpi_tag = 1 };

cmpi_outcome cmpi_barrier(void) {
  CMPI_CHECK(MPI_Barrier(cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_broadcast_count(int64_t *count, int root) {
  CMPI_CHECK(MPI_Bcast(count, 1, MPI_INT64_T, root, cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_broadcast_bytes(uint8_t *bytes, int count, int root) {
  CMPI_CHECK(MPI_Bcast(bytes, count, MPI_BYTE, root, cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_gather_count(int64_t count, int64_t *counts, int root) {
  CMPI_CHECK(MPI_Gather(&count, 1, MPI_INT64_T, counts, 1, MPI_INT64_T, root, cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_send_bytes(const uint8_t *bytes, int count, int destination) {
  CMPI_CHECK(MPI_Send(bytes, count, MPI_BYTE, destination, cmpi_tag, cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_receive_bytes(uint8_t *bytes, int count, int source, int *received) {
  MPI_Status status;
  CMPI_CHECK(MPI_Recv(bytes, count, MPI_BYTE, source, cmpi_tag, cmpi_world, &status));
  CMPI_CHECK(MPI_Get_count(&status, MPI_BYTE, received));
  return CMPI_DONE;
}

cmpi_outcome cmpi_maximum(double *values, int count) {
  CMPI_CHECK(MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_MAX, cmpi_world));
  return CMPI_DONE;
}

cmpi_outcome cmpi_sum(uint64_t *limbs, int count) {
  CMPI_CHECK(MPI_Allreduce(MPI_IN_PLACE, limbs, count, cmpi_wide_integer, cmpi_wide_addition,
                           cmpi_world));
  return CMPI_DONE;
}
