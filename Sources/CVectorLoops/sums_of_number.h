/* The sums of one type; see of_both_numbers.h. */

CVEC_BODY double NAMED(dot)(const Number *a, const Number *b, size_t count) {
  f64x4 low = {0}, high = {0};
  size_t whole = count / 8 * 8;
  for (size_t k = 0; k < whole; k += 8) {
    low += FOUR(a + k) * FOUR(b + k);
    high += FOUR(a + k + 4) * FOUR(b + k + 4);
  }
  double sum = TOTAL(low, high);
  for (size_t k = whole; k < count; ++k) sum += (double)a[k] * (double)b[k];
  return sum;
}

CVEC_BODY cvec_norms NAMED(norms)(const Number *a, size_t rows, size_t columns) {
  f64x4 low = {0}, high = {0};
  double largest = 0;
  for (size_t row = 0; row < rows; ++row, a += columns) {
    f64x4 low_sizes = {0}, high_sizes = {0};
    for (size_t k = 0; k < columns; k += 8) {
      f64x4 x = FOUR(a + k), y = FOUR(a + k + 4);
      low += x * x, high += y * y;
      low_sizes += MAGNITUDE(x), high_sizes += MAGNITUDE(y);
    }
    /* A nan must win. */
    double size = TOTAL(low_sizes, high_sizes);
    largest = largest >= size || largest != largest ? largest : size;
  }
  return (cvec_norms){TOTAL(low, high), largest};
}
