/* OpenBLAS as Swift sees it: its CBLAS header, and the few LAPACK routines we call, declared here
   because Debian's package has no LAPACKE and no lapack.h.

   LAPACK is column-major Fortran: every argument is a pointer, and gfortran appends the length of
   each CHARACTER argument by value, which a caller must pass (always 1 here). */
#ifndef LAYERBUDGET_COPENBLAS_SHIM_H
#define LAYERBUDGET_COPENBLAS_SHIM_H

// mallopt, which Swift's Glibc module leaves out.
#include <malloc.h>
#include <cblas.h>
#include <stddef.h>

/* Vector instructions that the compiler was allowed to use (-march) and this processor lacks; NULL if
   none. Here, because the compiler's flags are known to C alone. */
static inline const char *layerbudget_missing_instructions(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#ifdef __SSE4_2__
  if (!__builtin_cpu_supports("sse4.2")) return "SSE4.2";
#endif
#endif
  return NULL;
}

/* Cholesky factorization in place. info > 0: the leading minor of that order is not positive. */
void spotrf_(const char *uplo, const blasint *n, float *a, const blasint *lda, blasint *info,
             size_t uplo_length);
void dpotrf_(const char *uplo, const blasint *n, double *a, const blasint *lda, blasint *info,
             size_t uplo_length);

/* Reciprocal condition number in the 1-norm from a Cholesky factor. work [3 n], iwork [n]. */
void spocon_(const char *uplo, const blasint *n, const float *a, const blasint *lda,
             const float *anorm, float *rcond, float *work, blasint *iwork, blasint *info,
             size_t uplo_length);
void dpocon_(const char *uplo, const blasint *n, const double *a, const blasint *lda,
             const double *anorm, double *rcond, double *work, blasint *iwork, blasint *info,
             size_t uplo_length);

/* Inverse of a triangular matrix in place. info > 0: that diagonal element is 0. */
void strtri_(const char *uplo, const char *diag, const blasint *n, float *a, const blasint *lda,
             blasint *info, size_t uplo_length, size_t diag_length);
void dtrtri_(const char *uplo, const char *diag, const blasint *n, double *a, const blasint *lda,
             blasint *info, size_t uplo_length, size_t diag_length);

/* Eigenvalues, ascending, and eigenvectors of a symmetric matrix by divide and conquer. jobz "V": the
   vectors overwrite a. lwork -1 asks for the workspace. info > 0: did not converge. */
void ssyevd_(const char *jobz, const char *uplo, const blasint *n, float *a, const blasint *lda,
             float *w, float *work, const blasint *lwork, blasint *iwork, const blasint *liwork,
             blasint *info, size_t jobz_length, size_t uplo_length);
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda,
             double *w, double *work, const blasint *lwork, blasint *iwork, const blasint *liwork,
             blasint *info, size_t jobz_length, size_t uplo_length);

/* A = Q R of a panel, in place: R above the diagonal, reflectors below it, their scales in tau. lwork is
   at least n. */
void dgeqrf_(const blasint *m, const blasint *n, double *a, const blasint *lda, double *tau,
             double *work, const blasint *lwork, blasint *info);

/* The triangular factor t [k, k] of k reflectors v [n, k], Q = I - V T V^T. direct "F", storev "C":
   one after the other, in columns. */
void dlarft_(const char *direct, const char *storev, const blasint *n, const blasint *k,
             const double *v, const blasint *ldv, const double *tau, double *t, const blasint *ldt,
             size_t direct_length, size_t storev_length);

/* A band matrix [kd + 1, n] to a tridiagonal one, diagonal d [n] and e [n - 1], without vectors
   (vect "N": q is not touched); ab is overwritten. work [n]. */
void dsbtrd_(const char *vect, const char *uplo, const blasint *n, const blasint *kd, double *ab,
             const blasint *ldab, double *d, double *e, double *q, const blasint *ldq, double *work,
             blasint *info, size_t vect_length, size_t uplo_length);

/* Eigenvalues of a tridiagonal matrix, ascending, in place of d; e is overwritten. */
void dsterf_(const blasint *n, double *d, double *e, blasint *info);

/* Singular values, descending, by QR iteration. jobu and jobvt "N": no vectors, u and vt are not
   touched, a is overwritten. lwork -1 asks for the workspace. info > 0: did not converge. */
void sgesvd_(const char *jobu, const char *jobvt, const blasint *m, const blasint *n, float *a,
             const blasint *lda, float *s, float *u, const blasint *ldu, float *vt,
             const blasint *ldvt, float *work, const blasint *lwork, blasint *info,
             size_t jobu_length, size_t jobvt_length);
void dgesvd_(const char *jobu, const char *jobvt, const blasint *m, const blasint *n, double *a,
             const blasint *lda, double *s, double *u, const blasint *ldu, double *vt,
             const blasint *ldvt, double *work, const blasint *lwork, blasint *info,
             size_t jobu_length, size_t jobvt_length);

#endif
