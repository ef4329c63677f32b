#include <stddef.h>

#include "session.h"

/* The tag of all our messages; the communicator is ours alone, so nobody else uses it. */
enum { cmpi_tag = 1 };

/* The one call under way, and what came of it. */
static MPI_Request pending = MPI_REQUEST_NULL;
static MPI_Status status;

cmpi_outcome cmpi_test(int *done) {
  CMPI_CHECK(MPI_Test(&pending, done, &status));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_barrier(void) {
  CMPI_CHECK(MPI_Ibarrier(cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_broadcast_count(int64_t *count, int root) {
  CMPI_CHECK(MPI_Ibcast(count, 1, MPI_INT64_T, root, cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_broadcast_bytes(uint8_t *bytes, int count, int root) {
  CMPI_CHECK(MPI_Ibcast(bytes, count, MPI_BYTE, root, cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_gather_count(const int64_t *count, int64_t *counts, int root) {
  CMPI_CHECK(
      MPI_Igather(count, 1, MPI_INT64_T, counts, 1, MPI_INT64_T, root, cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_send(const uint8_t *bytes, int count, int destination) {
  CMPI_CHECK(MPI_Isend(bytes, count, MPI_BYTE, destination, cmpi_tag, cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_receive(uint8_t *bytes, int count, int source) {
  CMPI_CHECK(MPI_Irecv(bytes, count, MPI_BYTE, source, cmpi_tag, cmpi_world, &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_received_count(int *count) {
  CMPI_CHECK(MPI_Get_count(&status, MPI_BYTE, count));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_maximum(double *values, int count) {
  CMPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_MAX, cmpi_world,
                            &pending));
  return CMPI_DONE;
}

cmpi_outcome cmpi_start_sum(uint64_t *limbs, int count) {
  CMPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, limbs, count, cmpi_wide_integer, cmpi_wide_addition,
                            cmpi_world, &pending));
  return CMPI_DONE;
}
