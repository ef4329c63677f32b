/* The factorization of one type for one set of instructions; see panels.c. */

/* tile = from - the sum over `depth` rows k of shares[k][row] * panel[k]; twelve vectors that stay in registers. */
CVEC_LOOP void NAMED(subtract)(const Number *shares, const Number *panel, size_t depth, const Number *from,
                               size_t from_length, Number *tile, size_t tile_length) {
  Vector sums[ROWS][3];
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t part = 0; part < 3; ++part)
      sums[row][part] = AT(from + row * from_length + part * LANES);
  for (size_t k = 0; k < depth; ++k) {
    Vector parts[3] = {AT(panel), AT(panel + LANES), AT(panel + 2 * LANES)};
    for (size_t row = 0; row < ROWS; ++row) {
      Vector share = -ALL(shares[row]);
      for (size_t part = 0; part < 3; ++part)
        sums[row][part] = FUSED(share, parts[part], sums[row][part]);
      KEEP_ORDER(sums[row], shares);
    }
    shares += PANEL;
    panel += PANEL;
  }
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t part = 0; part < 3; ++part)
      AT(tile + row * tile_length + part * LANES) = sums[row][part];
}

/* A row of a tile without what the rows of the tile above it give. */
CVEC_FUSED void NAMED(take_above)(const Number *shares, size_t row, Number *tile) {
  for (size_t part = 0; part < 3; ++part) {
    Number *own = tile + row * PANEL + part * LANES;
    Vector value = AT(own);
    for (size_t above = 0; above < row; ++above)
      value = FUSED(-ALL(shares[above * PANEL + row]), AT(tile + above * PANEL + part * LANES), value);
    AT(own) = value;
  }
}

CVEC_FUSED void NAMED(scale)(Number *row, Number factor) {
  for (size_t part = 0; part < 3; ++part)
    AT(row + part * LANES) *= ALL(factor);
}

/* The rest for a tile beside the diagonal: `shares` are those of its rows, in the panel on the diagonal. The rows go to the
   matrix as well, if there is a place. */
CVEC_FUSED void NAMED(finish)(const Number *shares, const Number *reciprocals, Number *tile, Number *place,
                              size_t row_length) {
  for (size_t row = 0; row < ROWS; ++row) {
    NAMED(take_above)(shares, row, tile);
    NAMED(scale)(tile + row * PANEL, reciprocals[row]);
    if (place) memcpy(place + row * row_length, tile + row * PANEL, PANEL * sizeof *tile);
  }
}

/* The rest for a tile on the diagonal, whose pivots stand from `column` on: how many are above 0. */
CVEC_FUSED size_t NAMED(finish_pivots)(Number *tile, size_t column, Number *reciprocals) {
  for (size_t row = 0; row < ROWS; ++row) {
    NAMED(take_above)(tile + column, row, tile);
    Number pivot = tile[row * PANEL + column + row];
    if (!(pivot > 0)) return row;
    Number root = ROOT(pivot);
    reciprocals[row] = 1 / root;
    NAMED(scale)(tile + row * PANEL, reciprocals[row]);
    tile[row * PANEL + column + row] = root;
  }
  return ROWS;
}

/* Rows first ..< last of a panel that the matrix does not fill: beyond it 0, and on the diagonal 1. */
CVEC_FUSED void NAMED(copy_in)(const Number *a, size_t order, size_t panel, size_t first, size_t last,
                               Number *to) {
  for (size_t row = first; row < last; ++row)
    for (size_t k = 0; k < PANEL; ++k) {
      size_t column = panel * PANEL + k;
      to[(row - first) * PANEL + k] = row < order && column < order ? a[row * order + column] : row == column;
    }
}

/* Rows first ..< last of a panel, to the upper triangle of the matrix. */
CVEC_FUSED void NAMED(copy_out)(const Number *from, size_t panel, size_t first, size_t last, Number *a,
                                size_t order) {
  size_t left = panel * PANEL, right = left + PANEL < order ? left + PANEL : order;
  for (size_t row = first; row < last && row < order; ++row)
    for (size_t column = row > left ? row : left; column < right; ++column)
      a[row * order + column] = from[(row - first) * PANEL + column - left];
}

/* Rows first ..< last of the factor, from which those above were taken: the first pivot that is not above 0, or
   `last`. Their panels from that of `first` on stay in `rows`, `depth` rows each. */
CVEC_FUSED size_t NAMED(factorize_rows)(Number *a, size_t order, size_t first, size_t last, Number *rows,
                                        Number *reciprocals) {
  size_t depth = last - first, left = first / PANEL, right = last / PANEL;
  for (size_t panel = left; panel < panels_of(order, PANEL); ++panel) {
    size_t bottom = (panel + 1) * PANEL;
    bool is_whole = bottom <= order && last <= order;
    Number *own = rows + (panel - left) * depth * PANEL;
    if (!is_whole) NAMED(copy_in)(a, order, panel, first, bottom < last ? bottom : last, own);
    for (size_t side = left; side < right && side <= panel; ++side) {
      const Number *shares = rows + (side - left) * depth * PANEL;
      for (size_t column = 0; column < PANEL; column += ROWS) {
        size_t row = side * PANEL + column, above = row - first;
        Number *tile = own + above * PANEL, *place = a + row * order + panel * PANEL;
        NAMED(subtract)(shares + column, own, above, is_whole ? place : tile, is_whole ? order : PANEL, tile,
                        PANEL);
        if (side < panel) {
          NAMED(finish)(shares + above * PANEL + column, reciprocals + above, tile, is_whole ? place : NULL,
                        order);
        } else {
          size_t done = NAMED(finish_pivots)(tile, column, reciprocals + above);
          if (done < ROWS) return row + done;
        }
      }
    }
    size_t top = is_whole ? panel * PANEL : first;
    NAMED(copy_out)(own + (top - first) * PANEL, panel, top, bottom < last ? bottom : last, a, order);
  }
  return last;
}

/* Takes rows first ..< last, in panels, from the matrix below them. */
CVEC_FUSED void NAMED(update)(Number *a, size_t order, size_t first, size_t last, const Number *rows) {
  size_t depth = last - first, panels = panels_of(order, PANEL), left = first / PANEL;
  for (size_t group = last / PANEL; group < panels; group += DEPTH / PANEL)
    for (size_t panel = group; panel < panels; ++panel) {
      const Number *own = rows + (panel - left) * depth * PANEL;
      for (size_t side = group; side <= panel && side < group + DEPTH / PANEL; ++side) {
        const Number *shares = rows + (side - left) * depth * PANEL;
        bool is_whole = side < panel && (panel + 1) * PANEL <= order;
        for (size_t column = 0; column < PANEL; column += ROWS) {
          size_t row = side * PANEL + column;
          Number *place = a + row * order + panel * PANEL;
          if (is_whole) {
            /* The rows of a tile are pages apart: those of the next one, which takes a while to be needed. */
            for (size_t next = ROWS; next < 2 * ROWS; ++next) {
              __builtin_prefetch(place + next * order);
              __builtin_prefetch(place + next * order + PANEL - 1);
            }
            NAMED(subtract)(shares + column, own, depth, place, order, place, order);
          } else if (row < order) {
            Number tile[ROWS * PANEL];
            size_t bottom = row + ROWS < order ? row + ROWS : order;
            NAMED(copy_in)(a, order, panel, row, row + ROWS, tile);
            NAMED(subtract)(shares + column, own, depth, tile, PANEL, tile, PANEL);
            NAMED(copy_out)(tile, panel, row, bottom, a, order);
          }
        }
      }
    }
}

CVEC_LOOP size_t NAMED(factorize)(Number *a, size_t order, Number *memory) {
  size_t padded = panels_of(order, PANEL) * PANEL;
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded;
    size_t done = NAMED(factorize_rows)(a, order, first, last, memory + DEPTH, memory);
    if (done < last) return done;
    NAMED(update)(a, order, first, last, memory + DEPTH);
  }
  return order;
}
