/* The products of a band reduction and of carrying rows through its reflectors, for one set of instructions; see panels.c. */

/* BAND columns of ROWS_OF_BAND rows y += the sum over `depth` rows k of shares[k][row] * x[k], product by product. */
CVEC_FUSED void NAMED(add_rows)(size_t rows, const Number *shares, size_t next, size_t beside, const Number *x,
                                size_t depth, Number *y) {
  Vector sums[ROWS_OF_BAND][PARTS_OF_BAND];
#pragma clang loop unroll(full)
  for (size_t row = 0; row < rows; ++row)
    for (size_t part = 0; part < PARTS_OF_BAND; ++part) sums[row][part] = AT(y + row * BAND + part * LANES);
  for (size_t k = 0; k < depth; ++k) {
    Vector parts[PARTS_OF_BAND];
#pragma clang loop unroll(full)
    for (size_t part = 0; part < PARTS_OF_BAND; ++part) parts[part] = AT(x + part * LANES);
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row) {
      Vector share = ALL(shares[row * beside]);
      for (size_t part = 0; part < PARTS_OF_BAND; ++part)
        sums[row][part] = FUSED(share, parts[part], sums[row][part]);
      KEEP_ORDER(PARTS_OF_BAND, sums[row], shares);
    }
    shares += next;
    x += BAND;
  }
#pragma clang loop unroll(full)
  for (size_t row = 0; row < rows; ++row)
    for (size_t part = 0; part < PARTS_OF_BAND; ++part) AT(y + row * BAND + part * LANES) = sums[row][part];
}

CVEC_LOOP void NAMED(add_tile_row)(const Number *shares, size_t next, size_t beside, const Number *x,
                                   size_t depth, Number *y) {
  NAMED(add_rows)(ROWS_OF_BAND, shares, next, beside, x, depth, y);
}

CVEC_LOOP void NAMED(add_one_row)(const Number *shares, size_t next, const Number *x, size_t depth, Number *y) {
  NAMED(add_rows)(1, shares, next, 0, x, depth, y);
}

/* `rows` rows y [BAND] += what a tile gives, whose rows' shares are `beside` apart. */
CVEC_FUSED void NAMED(add_tile)(const Number *shares, size_t next, size_t beside, const Number *x, size_t depth,
                                Number *y, size_t rows) {
  for (size_t part = 0; part < BAND; part += PARTS_OF_BAND * LANES) {
    size_t row = 0;
    for (; row + ROWS_OF_BAND <= rows; row += ROWS_OF_BAND)
      NAMED(add_tile_row)(shares + row * beside, next, beside, x + part, depth, y + row * BAND + part);
    for (; row < rows; ++row)
      NAMED(add_one_row)(shares + row * beside, next, x + part, depth, y + row * BAND + part);
  }
}

CVEC_LOOP void NAMED(multiply_symmetric)(const Number *a, size_t order, size_t row_length, const Number *x,
                                         Number *y) {
  memset(y, 0, order * BAND * sizeof *y);
  for (size_t top = 0; top < order; top += DEPTH) {
    size_t rows = order - top < DEPTH ? order - top : DEPTH;
    Number tile[DEPTH * DEPTH];
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = i; j < rows; ++j)
        tile[i * DEPTH + j] = tile[j * DEPTH + i] = a[(top + i) * row_length + top + j];
    NAMED(add_tile)(tile, 1, DEPTH, x + top * BAND, rows, y + top * BAND, rows);
    /* Every other tile serves twice, as it is and transposed. */
    for (size_t left = top + rows; left < order; left += DEPTH) {
      size_t columns = order - left < DEPTH ? order - left : DEPTH;
      const Number *place = a + top * row_length + left;
      NAMED(add_tile)(place, row_length, 1, x + top * BAND, rows, y + left * BAND, columns);
      NAMED(add_tile)(place, 1, row_length, x + left * BAND, columns, y + top * BAND, rows);
    }
  }
}

/* Y [rows][BAND] for each BAND of the `count` columns of X = V' one after the other: Y = A X, A [rows][depth], V [count][depth],
   `memory` for a tile of X. */
CVEC_LOOP void NAMED(multiply_transposed)(const Number *a, size_t rows, size_t depth, size_t row_length,
                                          const Number *v, size_t count, Number *y, Number *memory) {
  memset(y, 0, rows * count * sizeof *y);
  for (size_t top = 0; top < depth; top += DEPTH) {
    size_t height = depth - top < DEPTH ? depth - top : DEPTH;
    for (size_t left = 0; left < count; left += BAND) {
      for (size_t k = 0; k < height; ++k)
        for (size_t column = 0; column < BAND; ++column)
          memory[k * BAND + column] = v[(left + column) * depth + top + k];
      NAMED(add_tile)(a + top, 1, row_length, memory, height, y + left * rows, rows);
    }
  }
}

/* A matrix whose rows and columns are so far apart. */
typedef struct {
  const Number *elements;
  size_t rows_apart, columns_apart;
} NAMED(Strided);

/* Columns of a matrix as rows of panels, from row `first` on; `depth` rows are in a panel. */
CVEC_FUSED void NAMED(pack)(NAMED(Strided) from, size_t rows, size_t columns, size_t first, size_t depth,
                            Number *panels) {
  for (size_t panel = 0; panel < panels_of(rows, PANEL); ++panel)
    for (size_t k = 0; k < columns; ++k)
      for (size_t column = 0; column < PANEL; ++column) {
        size_t row = panel * PANEL + column;
        panels[(panel * depth + first + k) * PANEL + column] =
            row < rows ? from.elements[row * from.rows_apart + k * from.columns_apart] : 0;
      }
}

CVEC_LOOP void NAMED(subtract_outer)(Number *elements, size_t order, size_t row_length, const Number *v,
                                     const Number *w, Number *memory) {
  NAMED(Matrix) a = {elements, order, order, row_length, true};
  NAMED(Strided) by_columns = {v, 1, row_length}, by_rows = {w, BAND, 1};
  Number *shares = memory, *rows = memory + panels_of(order, PANEL) * PANEL * 2 * BAND;
  NAMED(pack)(by_columns, order, BAND, 0, 2 * BAND, shares);
  NAMED(pack)(by_rows, order, BAND, BAND, 2 * BAND, shares);
  NAMED(pack)(by_rows, order, BAND, 0, 2 * BAND, rows);
  NAMED(pack)(by_columns, order, BAND, BAND, 2 * BAND, rows);
  NAMED(update)(&a, 0, 0, 2 * BAND, shares, rows);
}

/* A [rows][columns] -= S V, S [rows][depth], V [depth][columns]. */
CVEC_LOOP void NAMED(subtract_product)(Number *elements, size_t rows, size_t columns, size_t row_length,
                                       const Number *s, const Number *v, size_t depth, Number *memory) {
  NAMED(Matrix) a = {elements, rows, columns, row_length, false};
  NAMED(Strided) left = {s, depth, 1}, right = {v, 1, columns};
  Number *shares = memory, *panels = memory + panels_of(rows, PANEL) * PANEL * depth;
  NAMED(pack)(left, rows, depth, 0, depth, shares);
  NAMED(pack)(right, columns, depth, 0, depth, panels);
  NAMED(update)(&a, 0, 0, depth, shares, panels);
}
