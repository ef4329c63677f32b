/* Solves with a factor of one type, for one set of instructions; see panels.c. */

/* Rows first ..< last of a factor to its panels from `left` on, row by row, as they follow each other in memory. */
CVEC_FUSED void NAMED(copy_factor)(const NAMED(Matrix) *a, size_t left, size_t first, size_t last, Number *panels) {
  size_t depth = last - first, whole = last <= a->rows ? a->columns / PANEL : left;
  for (size_t row = first; row < last && left < whole; ++row) {
    const Number *from = a->elements + row * a->row_length + left * PANEL;
    Number *to = panels + (row - first) * PANEL;
    for (size_t panel = left; panel < whole; ++panel, from += PANEL, to += depth * PANEL)
      memcpy(to, from, PANEL * sizeof *to);
  }
  for (size_t panel = whole; panel < panels_of(a->columns, PANEL); ++panel)
    NAMED(copy_in)(a, panel, first, last, panels + (panel - left) * depth * PANEL);
}

CVEC_LOOP void NAMED(solve_left)(const Number *u, size_t order, Number *b, size_t columns, Number *memory,
                                 Number *rows) {
  NAMED(Matrix) factor = {(Number *)u, order, order, order, true}, a = {b, order, columns, columns, false};
  size_t panels = panels_of(order, PANEL), padded = panels * PANEL;
  Number *reciprocals = memory, *shares = memory + DEPTH;
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded, depth = last - first, left = first / PANEL;
    NAMED(copy_factor)(&factor, left, first, last, shares);
    for (size_t row = 0; row < depth; ++row)
      reciprocals[row] = 1 / shares[(row / PANEL * depth + row) * PANEL + row % PANEL];
    NAMED(finish_rows)(&a, first, last, shares, rows, reciprocals);
    NAMED(update)(&a, last, left, depth, shares, rows);
  }
}

/* `subtract` and `subtract_block` with shares, and here a tile, of rows that are DEPTH apart. The tile may be where the shares
   are: it is written last. */
CVEC_LOOP void NAMED(subtract_rows)(const Number *shares, const Number *panel, size_t depth, const Number *from,
                                    size_t from_length, Number *tile) {
  NAMED(subtract_any)(true, shares, 1, DEPTH, panel, depth, from, from_length, tile, DEPTH);
}

CVEC_LOOP void NAMED(subtract_block_rows)(const Number *shares, const Number *panel, size_t depth, Number *tile,
                                          size_t tile_length) {
  NAMED(subtract_any)(false, shares, 1, DEPTH, panel, depth, tile, tile_length, tile, tile_length);
}

/* -1 times the inverse of a block on the diagonal, from its last row up. Whole rows: zeros stay zeros. */
CVEC_FUSED void NAMED(invert_negative)(const Number *block, Number *inverse) {
  for (size_t row = PANEL; row-- > 0;) {
    const Number *shares = block + row * PANEL;
    Number *own = inverse + row * PANEL;
    Vector sums[PARTS];
    memset(own, 0, PANEL * sizeof *own);
    own[row] = -1;
    for (size_t part = 0; part < PARTS; ++part) sums[part] = AT(own + part * LANES);
    for (size_t below = row + 1; below < PANEL; ++below)
      for (size_t part = 0; part < PARTS; ++part)
        sums[part] = FUSED(-ALL(shares[below]), AT(inverse + below * PANEL + part * LANES), sums[part]);
    for (size_t part = 0; part < PARTS; ++part) AT(own + part * LANES) = sums[part] / ALL(shares[row]);
  }
}

/* `rows` rows of `columns` from one place to another. */
CVEC_FUSED void NAMED(copy)(size_t rows, size_t columns, const Number *from, size_t from_length, Number *to,
                            size_t to_length) {
  for (size_t row = 0; row < rows; ++row)
    memcpy(to + row * to_length, from + row * from_length, columns * sizeof *to);
}

/* Up to ROWS rows of B, `apart` from each other: the solution in a panel of the block on the diagonal, with what the block's
   columns before it give, which stand in `shares`; it goes there too. */
CVEC_FUSED void NAMED(solve_from_right)(Number *shares, const Number *panel, size_t depth, const Number *inverse,
                                        Number *place, size_t apart, size_t rows, size_t columns) {
  static const Number zeros[PANEL];
  Number *own = shares + depth;
  bool is_whole = rows == ROWS && columns >= PANEL;
  size_t count = columns < PANEL ? columns : PANEL;
  if (!is_whole) {
    for (size_t row = 0; row < ROWS; ++row) memset(own + row * DEPTH, 0, PANEL * sizeof *own);
    NAMED(copy)(rows, count, place, apart, own, DEPTH);
  }
  NAMED(subtract_rows)(shares, panel, depth, is_whole ? place : own, is_whole ? apart : DEPTH, own);
  NAMED(subtract_rows)(own, inverse, PANEL, zeros, 0, own);
  if (is_whole) NAMED(copy)(ROWS, PANEL, own, DEPTH, place, apart);
  else NAMED(copy)(rows, count, own, DEPTH, place, apart);
}

/* The same for a panel after that block: what is left of B there. */
CVEC_FUSED void NAMED(take_from_right)(const Number *shares, const Number *panel, size_t depth, Number *place,
                                       size_t apart, size_t rows, size_t columns) {
  if (rows == ROWS && columns >= PANEL) {
    NAMED(fetch)(place, apart);
    NAMED(subtract_block_rows)(shares, panel, depth, place, apart);
    return;
  }
  Number tile[ROWS * PANEL];
  size_t count = columns < PANEL ? columns : PANEL;
  memset(tile, 0, sizeof tile);
  NAMED(copy)(rows, count, place, apart, tile, PANEL);
  NAMED(subtract_block_rows)(shares, panel, depth, tile, PANEL);
  NAMED(copy)(rows, count, tile, PANEL, place, apart);
}

CVEC_LOOP void NAMED(solve_right)(const Number *u, size_t order, Number *b, size_t rows, Number *memory) {
  NAMED(Matrix) a = {(Number *)u, order, order, order, true};
  size_t panels = panels_of(order, PANEL), padded = panels * PANEL;
  Number *inverses = memory, *packed = memory + DEPTH * PANEL;
  /* Solutions of a group of rows: in B they are pages apart. */
  Number shares[GROUP * DEPTH];
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded, depth = last - first, left = first / PANEL;
    NAMED(copy_factor)(&a, left, first, last, packed);
    for (size_t panel = left; panel < last / PANEL; ++panel)
      NAMED(invert_negative)(packed + ((panel - left) * depth + panel * PANEL - first) * PANEL,
                             inverses + (panel - left) * PANEL * PANEL);
    for (size_t group = 0; group < rows; group += GROUP) {
      size_t bottom = group + GROUP < rows ? group + GROUP : rows;
      for (size_t panel = left; panel < panels; ++panel) {
        const Number *own = packed + (panel - left) * depth * PANEL;
        size_t column = panel * PANEL, columns = order - column;
        for (size_t row = group; row < bottom; row += ROWS) {
          Number *place = b + row * order + column, *row_shares = shares + (row - group) * DEPTH;
          size_t height = row + ROWS < bottom ? ROWS : bottom - row;
          if (column < last)
            NAMED(solve_from_right)(row_shares, own, column - first, inverses + (panel - left) * PANEL * PANEL,
                                    place, order, height, columns);
          else
            NAMED(take_from_right)(row_shares, own, depth, place, order, height, columns);
        }
      }
    }
  }
}
