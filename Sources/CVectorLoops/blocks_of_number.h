/* The blocks of one type; see of_both_numbers.h. */

/* to[k] -= what four rows give, for the columns from first on. */
CVEC_BODY void NAMED(take_four)(Number *restrict to, const Number *restrict rows, size_t row_length,
                                const Number *shares, size_t first, size_t last) {
  const Number *p = rows, *q = p + row_length, *r = q + row_length, *s = r + row_length;
  Number a = shares[0], b = shares[1], c = shares[2], d = shares[3];
  for (size_t k = first; k < last; ++k) to[k] -= (a * p[k] + b * q[k]) + (c * r[k] + d * s[k]);
}

CVEC_BODY void NAMED(take_one)(Number *restrict to, const Number *restrict row, Number share,
                               size_t first, size_t last) {
  for (size_t k = first; k < last; ++k) to[k] -= share * row[k];
}

CVEC_BODY size_t NAMED(factorize)(Number *a, size_t count, size_t row_length) {
  for (size_t top = 0; top < count; top += 4) {
    size_t end = top + 4 < count ? top + 4 : count;
    for (size_t pivot = top; pivot < end; ++pivot) {
      Number *row = a + pivot * row_length;
      if (!(row[pivot] > 0)) return pivot;
      Number root = ROOT(row[pivot]);
      row[pivot] = root;
      for (size_t k = pivot + 1; k < count; ++k) row[k] /= root;
      for (size_t below = pivot + 1; below < end; ++below)
        NAMED(take_one)(a + below * row_length, row, row[below], below, count);
    }
    for (size_t below = end; below < count; ++below) {
      const Number *rows = a + top * row_length;
      Number shares[4] = {rows[below], rows[row_length + below], rows[2 * row_length + below],
                          rows[3 * row_length + below]};
      NAMED(take_four)(a + below * row_length, rows, row_length, shares, below, count);
    }
  }
  return count;
}

/* Row i of U X = I: x_i = (e_i - sum of u_ik x_k) / u_ii over the rows k below, from the last one up. */
CVEC_BODY void NAMED(invert)(const Number *a, size_t count, size_t row_length, Number *inverse,
                             size_t width) {
  for (size_t row = count; row-- > 0;) {
    const Number *shares = a + row * row_length;
    Number *to = inverse + row * width;
    to[row] = 1;
    size_t below = row + 1;
    for (; below + 4 <= count; below += 4)
      NAMED(take_four)(to, inverse + below * width, width, shares + below, below, count);
    for (; below < count; ++below)
      NAMED(take_one)(to, inverse + below * width, shares[below], below, count);
    for (size_t k = row; k < count; ++k) to[k] /= shares[row];
  }
}
