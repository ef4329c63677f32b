/* The sweeps of one type; see of_both_numbers.h. */

/* Within a block of four rows on the diagonal, forwards. */
CVEC_BODY void NAMED(first)(const Number *factor, size_t order, size_t top, size_t end, Number *x) {
  for (size_t row = top; row < end; ++row) {
    const Number *this = factor + row * order;
    x[row] /= this[row];
    for (size_t column = row + 1; column < end; ++column) x[column] -= x[row] * this[column];
  }
}

/* L y = x: what four rows of L' take from the elements after them. */
CVEC_BODY void NAMED(forward)(const Number *factor, size_t order, size_t top, Number *restrict x,
                              Number *restrict z) {
  size_t end = top + 4 < order ? top + 4 : order;
  NAMED(first)(factor, order, top, end, x);
  if (z) NAMED(first)(factor, order, top, end, z);
  if (end == order) return;
  const Number *p = factor + top * order, *q = p + order, *r = q + order, *s = r + order;
  Number a = x[top], b = x[top + 1], c = x[top + 2], d = x[top + 3];
  if (z) {
    Number e = z[top], f = z[top + 1], g = z[top + 2], h = z[top + 3];
    for (size_t k = end; k < order; ++k) {
      x[k] -= (a * p[k] + b * q[k]) + (c * r[k] + d * s[k]);
      z[k] -= (e * p[k] + f * q[k]) + (g * r[k] + h * s[k]);
    }
  } else {
    for (size_t k = end; k < order; ++k) x[k] -= (a * p[k] + b * q[k]) + (c * r[k] + d * s[k]);
  }
}

/* What is left of four sums after their vectors, then the block on the diagonal, backwards. */
CVEC_BODY void NAMED(last)(const Number *factor, size_t order, size_t top, size_t end, size_t whole,
                           double a, double b, double c, double d, Number *x) {
  if (end < order) {
    const Number *p = factor + top * order, *q = p + order, *r = q + order, *s = r + order;
    for (size_t k = whole; k < order; ++k) {
      double z = x[k];
      a += (double)p[k] * z, b += (double)q[k] * z, c += (double)r[k] * z, d += (double)s[k] * z;
    }
    x[top] -= (Number)a, x[top + 1] -= (Number)b, x[top + 2] -= (Number)c, x[top + 3] -= (Number)d;
  }
  for (size_t row = end; row-- > top;) {
    const Number *this = factor + row * order;
    Number value = x[row];
    for (size_t column = row + 1; column < end; ++column) value -= this[column] * x[column];
    x[row] = value / this[row];
  }
}

/* L' z = y, rows from top on, those after them being done. */
CVEC_BODY void NAMED(backward)(const Number *factor, size_t order, size_t top, Number *x,
                               Number *y) {
  size_t end = top + 4 < order ? top + 4 : order, whole = end + (order - end) / 4 * 4;
  const Number *p = factor + top * order, *q = p + order, *r = q + order, *s = r + order;
  f64x4 a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};
  for (size_t k = end; k < whole; k += 4) {
    f64x4 pk = FOUR(p + k), qk = FOUR(q + k), rk = FOUR(r + k), sk = FOUR(s + k), z = FOUR(x + k);
    a += pk * z, b += qk * z, c += rk * z, d += sk * z;
    if (y) {
      z = FOUR(y + k);
      e += pk * z, f += qk * z, g += rk * z, h += sk * z;
    }
  }
  NAMED(last)(factor, order, top, end, whole, SUM(a), SUM(b), SUM(c), SUM(d), x);
  if (y) NAMED(last)(factor, order, top, end, whole, SUM(e), SUM(f), SUM(g), SUM(h), y);
}

CVEC_BODY void NAMED(solve)(const Number *factor, size_t order, Number *x,
                            Number *second, size_t first) {
  if (order == 0) return;
  /* Two calls each: what is asked for once need not be asked for in every row. */
  for (size_t top = first / 4 * 4; top < order; top += 4) {
    if (second) NAMED(forward)(factor, order, top, x, second);
    else NAMED(forward)(factor, order, top, x, NULL);
  }
  for (size_t top = (order - 1) / 4 * 4 + 4; top > 0;) {
    top -= 4;
    if (second) NAMED(backward)(factor, order, top, x, second);
    else NAMED(backward)(factor, order, top, x, NULL);
  }
}
