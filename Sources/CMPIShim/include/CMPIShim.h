/* MPI without mpi.h: macros become functions and constants, handles stay inside.
   Rules for every function are in ../README.md; section numbers are of the MPI 3.1 standard. */
#ifndef LAYERBUDGET_CMPI_SHIM_H
#define LAYERBUDGET_CMPI_SHIM_H

#include <stdint.h>

#ifdef __clang__
#pragma clang assume_nonnull begin
#define CMPI_NULLABLE _Nullable
#else
#define CMPI_NULLABLE
#endif

/* What a call came to. `call` is the text of the MPI call that failed, a string that lives for
   ever, or "" when `code` is cmpi_success. */
typedef struct cmpi_outcome {
  int code;
  const char *call;
} cmpi_outcome;

/* ---- constants.c ---- */

extern const int cmpi_success;
extern const int cmpi_thread_funneled;
extern const int cmpi_text_capacity;  /* enough for every text below, with its final zero */
extern const int cmpi_limbs_per_sum;  /* 64-bit words in one element of cmpi_start_sum */
extern const int cmpi_sign_words;     /* numbers in one sign */

/* ---- lifecycle.c: 8.7 Startup, 12.4 Threads ---- */

/* MPI_Init_thread asking for MPI_THREAD_FUNNELED; then a communicator of our own with
   MPI_ERRORS_RETURN, and the type and operator of cmpi_start_sum. Collective, once per process. */
cmpi_outcome cmpi_initialize(int *thread_level);

/* Frees what cmpi_initialize made, then MPI_Finalize. Collective. */
cmpi_outcome cmpi_finalize(void);

cmpi_outcome cmpi_is_initialized(int *flag); /* true from MPI_Init on, also after MPI_Finalize */
cmpi_outcome cmpi_is_finalized(int *flag);

cmpi_outcome cmpi_rank(int *rank);
cmpi_outcome cmpi_size(int *size);

/* Ends every rank; `code` becomes the exit code of mpirun. Does not return. */
_Noreturn void cmpi_abort(int code);

/* ---- errors.c: texts; `text` has room for cmpi_text_capacity characters ---- */

cmpi_outcome cmpi_host_name(char *text);
cmpi_outcome cmpi_library_version(char *text); /* may be called before cmpi_initialize */
cmpi_outcome cmpi_error_text(int code, char *text);

/* ---- collectives.c: 5.12 Nonblocking Collectives, 3.7 Nonblocking Communication ---- */

/* Each of these starts one call; its buffers stay where they are until cmpi_test says that it is done.
   One call at a time is under way. */

cmpi_outcome cmpi_test(int *done);

cmpi_outcome cmpi_start_barrier(void);

cmpi_outcome cmpi_start_broadcast_count(int64_t *count, int root);
cmpi_outcome cmpi_start_broadcast_bytes(uint8_t *bytes, int count, int root);

/* `counts` has room for one number per rank at `root`, and may be null elsewhere. */
cmpi_outcome cmpi_start_gather_count(const int64_t *count, int64_t *CMPI_NULLABLE counts,
                                     int root);

cmpi_outcome cmpi_start_send(const uint8_t *bytes, int count, int destination);

/* At most `count` bytes; cmpi_received_count says how many came, once it is done. */
cmpi_outcome cmpi_start_receive(uint8_t *bytes, int count, int source);
cmpi_outcome cmpi_received_count(int *count);

/* Element-wise maximum, in place, of `count` doubles that hold neither NaN nor -0.0. */
cmpi_outcome cmpi_start_maximum(double *values, int count);

/* Element-wise sum, in place, of `count` two's-complement integers, each cmpi_limbs_per_sum
   words, least significant first. Wraps only beyond 192 bits: sums of 128-bit integers never do. */
cmpi_outcome cmpi_start_sum(uint64_t *limbs, int count);

/* ---- signs.c: short messages beside the work, cmpi_sign_words numbers each ---- */

/* Sends a copy of `words`, unless the last message to that rank is still under way. */
cmpi_outcome cmpi_post_sign(const double *words, int destination, int *posted);

/* Receives a message if there is one. */
cmpi_outcome cmpi_take_sign(double *words, int *source, int *taken);

/* Whether no message of this rank is under way any more. */
cmpi_outcome cmpi_signs_are_sent(int *all);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#endif
