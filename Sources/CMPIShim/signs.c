#include <stdlib.h>

#include "session.h"

/* The tag of all signs; cmpi_signs is a communicator of their own. */
enum { cmpi_sign_tag = 2 };

/* One message under way to each rank, at most. */
typedef struct slot {
  double words[CMPI_SIGN_WORDS];
  MPI_Request request;
} slot;

static slot *slots = NULL;
static int slot_count = 0;

cmpi_outcome cmpi_signs_open(void) {
  int size = 0;
  CMPI_CHECK(MPI_Comm_size(cmpi_signs, &size));
  slots = calloc((size_t)size, sizeof *slots);
  if (slots == NULL) {
    return (cmpi_outcome){MPI_ERR_NO_MEM, "calloc of one message per rank"};
  }
  slot_count = size;
  for (int rank = 0; rank < size; rank += 1) slots[rank].request = MPI_REQUEST_NULL;
  return CMPI_DONE;
}

void cmpi_signs_close(void) {
  free(slots);
  slots = NULL;
  slot_count = 0;
}

cmpi_outcome cmpi_post_sign(const double *words, int destination, int *posted) {
  *posted = 0;
  slot *const slot = &slots[destination];
  int is_free = 0;
  CMPI_CHECK(MPI_Test(&slot->request, &is_free, MPI_STATUS_IGNORE));
  if (!is_free) return CMPI_DONE;
  for (int index = 0; index < CMPI_SIGN_WORDS; index += 1) slot->words[index] = words[index];
  CMPI_CHECK(MPI_Isend(slot->words, CMPI_SIGN_WORDS, MPI_DOUBLE, destination, cmpi_sign_tag,
                       cmpi_signs, &slot->request));
  *posted = 1;
  return CMPI_DONE;
}

cmpi_outcome cmpi_take_sign(double *words, int *source, int *taken) {
  MPI_Status status;
  CMPI_CHECK(MPI_Iprobe(MPI_ANY_SOURCE, cmpi_sign_tag, cmpi_signs, taken, &status));
  if (!*taken) return CMPI_DONE;
  *source = status.MPI_SOURCE;
  CMPI_CHECK(MPI_Recv(words, CMPI_SIGN_WORDS, MPI_DOUBLE, *source, cmpi_sign_tag, cmpi_signs,
                      MPI_STATUS_IGNORE));
  return CMPI_DONE;
}

cmpi_outcome cmpi_signs_are_sent(int *all) {
  *all = 1;
  for (int rank = 0; rank < slot_count; rank += 1) {
    int is_sent = 0;
    CMPI_CHECK(MPI_Test(&slots[rank].request, &is_sent, MPI_STATUS_IGNORE));
    if (!is_sent) *all = 0;
  }
  return CMPI_DONE;
}
