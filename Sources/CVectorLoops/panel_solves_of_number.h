/* Solves with a factor of one type, for one set of instructions; see panels.c. */

CVEC_LOOP void NAMED(solve_left)(const Number *u, size_t order, Number *b, size_t columns, Number *memory,
                                 Number *rows) {
  NAMED(Matrix) factor = {(Number *)u, order, order, order, true}, a = {b, order, columns, columns, false};
  size_t panels = panels_of(order, PANEL), padded = panels * PANEL;
  Number *reciprocals = memory, *shares = memory + DEPTH;
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded, depth = last - first, left = first / PANEL;
    for (size_t panel = left; panel < panels; ++panel)
      NAMED(copy_in)(&factor, panel, first, last, shares + (panel - left) * depth * PANEL);
    for (size_t row = 0; row < depth; ++row)
      reciprocals[row] = 1 / shares[(row / PANEL * depth + row) * PANEL + row % PANEL];
    NAMED(finish_rows)(&a, first, last, shares, rows, reciprocals);
    NAMED(update)(&a, last, left, depth, shares, rows);
  }
}

/* `subtract` and `subtract_block` with shares from rows that are `beside` apart. */
CVEC_LOOP void NAMED(subtract_rows)(const Number *shares, size_t beside, const Number *panel, size_t depth,
                                    const Number *from, size_t from_length, Number *tile,
                                    size_t tile_length) {
  NAMED(subtract_any)(true, shares, 1, beside, panel, depth, from, from_length, tile, tile_length);
}

CVEC_LOOP void NAMED(subtract_block_rows)(const Number *shares, size_t beside, const Number *panel, size_t depth,
                                          Number *tile, size_t tile_length) {
  NAMED(subtract_any)(false, shares, 1, beside, panel, depth, tile, tile_length, tile, tile_length);
}

/* -1 times the inverse of a block on the diagonal, from its last row up. */
CVEC_FUSED void NAMED(invert_negative)(const Number *block, Number *inverse) {
  for (size_t row = PANEL; row-- > 0;) {
    const Number *shares = block + row * PANEL;
    Number *own = inverse + row * PANEL;
    for (size_t k = 0; k < PANEL; ++k) own[k] = k == row ? -1 : 0;
    for (size_t below = row + 1; below < PANEL; ++below)
      for (size_t k = below; k < PANEL; ++k)
        own[k] = FUSED(-shares[below], inverse[below * PANEL + k], own[k]);
    for (size_t k = row; k < PANEL; ++k) own[k] /= shares[row];
  }
}

/* ROWS rows of B, or one where `beside` is 0: in a panel's columns what `depth` columns before it give, and with an
   `inverse` the solution. */
CVEC_FUSED void NAMED(take_from_right)(const Number *shares, size_t beside, const Number *panel, size_t depth,
                                       const Number *inverse, Number *place, size_t columns) {
  static const Number zeros[PANEL];
  Number tile[ROWS * PANEL];
  if (beside && columns >= PANEL) {
    if (inverse) {
      NAMED(subtract_rows)(shares, beside, panel, depth, place, beside, tile, PANEL);
      NAMED(subtract_rows)(tile, PANEL, inverse, PANEL, zeros, 0, place, beside);
    } else {
      NAMED(fetch)(place, beside);
      NAMED(subtract_block_rows)(shares, beside, panel, depth, place, beside);
    }
    return;
  }
  size_t rows = beside ? ROWS : 1, count = columns < PANEL ? columns : PANEL;
  memset(tile, 0, sizeof tile);
  for (size_t row = 0; row < rows; ++row)
    memcpy(tile + row * PANEL, place + row * beside, count * sizeof *tile);
  if (inverse) {
    NAMED(subtract_rows)(shares, beside, panel, depth, tile, PANEL, tile, PANEL);
    NAMED(subtract_rows)(tile, PANEL, inverse, PANEL, zeros, 0, tile, PANEL);
  } else {
    NAMED(subtract_block_rows)(shares, beside, panel, depth, tile, PANEL);
  }
  for (size_t row = 0; row < rows; ++row)
    memcpy(place + row * beside, tile + row * PANEL, count * sizeof *tile);
}

CVEC_LOOP void NAMED(solve_right)(const Number *u, size_t order, Number *b, size_t rows, Number *memory) {
  NAMED(Matrix) a = {(Number *)u, order, order, order, true};
  size_t panels = panels_of(order, PANEL), padded = panels * PANEL;
  Number *inverses = memory, *packed = memory + DEPTH * PANEL;
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded, depth = last - first, left = first / PANEL;
    for (size_t panel = left; panel < panels; ++panel) {
      Number *own = packed + (panel - left) * depth * PANEL;
      NAMED(copy_in)(&a, panel, first, last, own);
      if (panel < last / PANEL)
        NAMED(invert_negative)(own + (panel * PANEL - first) * PANEL, inverses + (panel - left) * PANEL * PANEL);
    }
    for (size_t group = 0; group < rows; group += GROUP)
      for (size_t panel = left; panel < panels; ++panel) {
        bool is_own = panel < last / PANEL;
        const Number *inverse = is_own ? inverses + (panel - left) * PANEL * PANEL : NULL;
        for (size_t row = group; row < rows && row < group + GROUP;) {
          size_t beside = rows - row < ROWS ? 0 : order;
          NAMED(take_from_right)(b + row * order + first, beside, packed + (panel - left) * depth * PANEL,
                                 is_own ? panel * PANEL - first : depth, inverse,
                                 b + row * order + panel * PANEL, order - panel * PANEL);
          row += beside ? ROWS : 1;
        }
      }
  }
}
