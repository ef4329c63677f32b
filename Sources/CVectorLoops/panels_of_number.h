/* The factorization of one type for one set of instructions; see panels.c. */

/* sums += or, if `is_own`, -= the products shares[k][row] * panel[k] of `depth` rows k, one after the other; vectors that all
   stay in registers. Shares of a row are `next` apart, those of a k `beside`. */
CVEC_FUSED void NAMED(take_products)(bool is_own, const Number *shares, size_t next, size_t beside,
                                     const Number *panel, size_t depth, Vector sums[ROWS][PARTS]) {
  for (size_t k = 0; k < depth; ++k) {
    Vector parts[PARTS];
#pragma clang loop unroll(full)
    for (size_t part = 0; part < PARTS; ++part) parts[part] = AT(panel + part * LANES);
#pragma clang loop unroll(full)
    for (size_t row = 0; row < ROWS; ++row) {
      Vector share = ALL(shares[row * beside]);
      if (is_own) share = -share;
      for (size_t part = 0; part < PARTS; ++part)
        sums[row][part] = FUSED(share, parts[part], sums[row][part]);
      KEEP_ORDER(PARTS, sums[row], shares);
    }
    shares += next;
    panel += PANEL;
  }
}

/* tile = from - the sum over `depth` rows, either product by product from what is there (`is_own`), or the sum first, which is
   then taken away at once. */
CVEC_FUSED void NAMED(subtract_any)(bool is_own, const Number *shares, size_t next, size_t beside,
                                    const Number *panel, size_t depth, const Number *from,
                                    size_t from_length, Number *tile, size_t tile_length) {
  Vector sums[ROWS][PARTS];
#pragma clang loop unroll(full)
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t part = 0; part < PARTS; ++part)
      sums[row][part] = is_own ? AT(from + row * from_length + part * LANES) : (Vector){0};
  NAMED(take_products)(is_own, shares, next, beside, panel, depth, sums);
#pragma clang loop unroll(full)
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t part = 0; part < PARTS; ++part) {
      Vector sum = sums[row][part];
      AT(tile + row * tile_length + part * LANES) =
          is_own ? sum : AT(from + row * from_length + part * LANES) - sum;
    }
}

/* Within a block of rows, to its panels. */
CVEC_LOOP void NAMED(subtract)(const Number *shares, const Number *panel, size_t depth, const Number *from,
                               size_t from_length, Number *tile) {
  NAMED(subtract_any)(true, shares, PANEL, 1, panel, depth, from, from_length, tile, PANEL);
}

/* A whole block of rows, from a tile below it. */
CVEC_LOOP void NAMED(subtract_block)(const Number *shares, const Number *panel, size_t depth, Number *tile,
                                     size_t tile_length) {
  NAMED(subtract_any)(false, shares, PANEL, 1, panel, depth, tile, tile_length, tile, tile_length);
}

/* The rows of a tile are pages apart, and it takes a block's products until they are needed. */
CVEC_FUSED void NAMED(fetch)(const Number *place, size_t row_length) {
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t byte = 0; byte < PANEL * sizeof *place; byte += 64)
      __builtin_prefetch((const char *)(place + row * row_length) + byte);
}

/* A row of a tile without what the rows of the tile above it give. */
CVEC_FUSED void NAMED(take_above)(const Number *shares, size_t row, Number *tile) {
  for (size_t part = 0; part < PARTS; ++part) {
    Number *own = tile + row * PANEL + part * LANES;
    Vector value = AT(own);
    for (size_t above = 0; above < row; ++above)
      value = FUSED(-ALL(shares[above * PANEL + row]), AT(tile + above * PANEL + part * LANES), value);
    AT(own) = value;
  }
}

CVEC_FUSED void NAMED(scale)(Number *row, Number factor) {
  for (size_t part = 0; part < PARTS; ++part)
    AT(row + part * LANES) *= ALL(factor);
}

/* The products and the rest for a tile beside the diagonal: `shares` are those of its rows, in the panel on the diagonal. The rows
   go to the matrix as well, if there is a place. Row by row from those below, which waits less than from those above. */
CVEC_LOOP void NAMED(finish)(const Number *shares, const Number *panel, size_t depth, const Number *from,
                             size_t from_length, const Number *reciprocals, Number *tile, Number *place,
                             size_t row_length) {
  Vector sums[ROWS][PARTS];
#pragma clang loop unroll(full)
  for (size_t row = 0; row < ROWS; ++row)
    for (size_t part = 0; part < PARTS; ++part) sums[row][part] = AT(from + row * from_length + part * LANES);
  NAMED(take_products)(true, shares, PANEL, 1, panel, depth, sums);
  shares += depth * PANEL;
#pragma clang loop unroll(full)
  for (size_t row = 0; row < ROWS; ++row) {
#pragma clang loop unroll(full)
    for (size_t part = 0; part < PARTS; ++part) {
      Vector own = sums[row][part] *= ALL(reciprocals[row]);
      AT(tile + row * PANEL + part * LANES) = own;
      if (place) AT(place + row * row_length + part * LANES) = own;
    }
#pragma clang loop unroll(full)
    for (size_t below = row + 1; below < ROWS; ++below)
      for (size_t part = 0; part < PARTS; ++part)
        sums[below][part] = FUSED(-ALL(shares[row * PANEL + below]), sums[row][part], sums[below][part]);
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

/* A matrix [rows][columns], of a square one its upper triangle. */
typedef struct {
  Number *elements;
  size_t rows, columns, row_length;
  bool is_square;
} NAMED(Matrix);

/* Rows first ..< last of a panel: beyond the matrix 0, on the diagonal of a square one 1. */
CVEC_FUSED void NAMED(copy_in)(const NAMED(Matrix) *a, size_t panel, size_t first, size_t last, Number *to) {
  size_t left = panel * PANEL;
  for (size_t row = first; row < last; ++row, to += PANEL) {
    const Number *from = a->elements + row * a->row_length;
    if (row < a->rows && left + PANEL <= a->columns)
      memcpy(to, from + left, PANEL * sizeof *to);
    else
      for (size_t column = left; column < left + PANEL; ++column)
        to[column - left] = row < a->rows && column < a->columns ? from[column] : a->is_square && row == column;
  }
}

/* Back again. */
CVEC_FUSED void NAMED(copy_out)(const Number *from, size_t panel, size_t first, size_t last,
                                const NAMED(Matrix) *a) {
  size_t left = panel * PANEL, right = left + PANEL < a->columns ? left + PANEL : a->columns;
  for (size_t row = first; row < last && row < a->rows; ++row, from += PANEL) {
    size_t start = a->is_square && row > left ? row : left;
    if (start < right)
      memcpy(a->elements + row * a->row_length + start, from + start - left, (right - start) * sizeof *from);
  }
}

/* Rows first ..< last of `a`, the factor itself or right-hand sides, from which the rows above were taken: the first
   pivot that is not above 0, or `last`. `shares` are the factor's panels from that of `first` on, those of `a` stay in
   `rows`, last - first rows each. */
CVEC_FUSED size_t NAMED(finish_rows)(const NAMED(Matrix) *a, size_t first, size_t last, const Number *shares,
                                     Number *rows, Number *reciprocals) {
  size_t depth = last - first, left = first / PANEL, start = a->is_square ? left : 0;
  for (size_t panel = start; panel < panels_of(a->columns, PANEL); ++panel) {
    size_t end = a->is_square && (panel + 1) * PANEL < last ? (panel + 1) * PANEL : last;
    bool is_whole = (panel + 1) * PANEL <= a->columns && last <= a->rows;
    Number *own = rows + (panel - start) * depth * PANEL;
    if (!is_whole) NAMED(copy_in)(a, panel, first, end, own);
    for (size_t row = first; row < end; row += ROWS) {
      size_t side = row / PANEL, above = row - first;
      const Number *side_shares = shares + (side - left) * depth * PANEL + row % PANEL;
      Number *tile = own + above * PANEL, *place = a->elements + row * a->row_length + panel * PANEL;
      const Number *from = is_whole ? place : tile;
      size_t from_length = is_whole ? a->row_length : PANEL;
      if (is_whole) NAMED(fetch)(place + PANEL, a->row_length);
      if (a->is_square && side == panel) {
        NAMED(subtract)(side_shares, own, above, from, from_length, tile);
        size_t done = NAMED(finish_pivots)(tile, row % PANEL, reciprocals + above);
        if (done < ROWS) return row + done;
      } else {
        NAMED(finish)(side_shares, own, above, from, from_length, reciprocals + above, tile,
                      is_whole ? place : NULL, a->row_length);
      }
    }
    size_t top = is_whole ? (a->is_square && panel * PANEL < last ? panel * PANEL : end) : first;
    NAMED(copy_out)(own + (top - first) * PANEL, panel, top, end, a);
  }
  return last;
}

/* Takes the sum of `depth` products, shares by rows, from the rows of `a` from `top` on. Panels of shares and rows are
   `depth` rows each; the first of `shares` is `left`, the first of `rows` that of the first column or, for a square one, `left`. */
CVEC_LOOP void NAMED(update)(const NAMED(Matrix) *a, size_t top, size_t left, size_t depth, const Number *shares,
                             const Number *rows) {
  size_t start = a->is_square ? left : 0;
  for (size_t group = top; group < a->rows; group += DEPTH)
    for (size_t panel = a->is_square ? group / PANEL : 0; panel < panels_of(a->columns, PANEL); ++panel) {
      const Number *own = rows + (panel - start) * depth * PANEL;
      size_t bottom = group + DEPTH < a->rows ? group + DEPTH : a->rows;
      if (a->is_square && (panel + 1) * PANEL < bottom) bottom = (panel + 1) * PANEL;
      for (size_t row = group; row < bottom; row += ROWS) {
        const Number *row_shares = shares + (row / PANEL - left) * depth * PANEL + row % PANEL;
        Number *place = a->elements + row * a->row_length + panel * PANEL;
        bool is_whole = (panel + 1) * PANEL <= a->columns && row + ROWS <= a->rows &&
                        !(a->is_square && row / PANEL == panel);
        if (is_whole) {
          NAMED(fetch)(place, a->row_length);
          NAMED(subtract_block)(row_shares, own, depth, place, a->row_length);
        } else {
          Number tile[ROWS * PANEL];
          NAMED(copy_in)(a, panel, row, row + ROWS, tile);
          NAMED(subtract_block)(row_shares, own, depth, tile, PANEL);
          NAMED(copy_out)(tile, panel, row, row + ROWS, a);
        }
      }
    }
}

CVEC_LOOP size_t NAMED(factorize)(Number *elements, size_t order, Number *memory) {
  NAMED(Matrix) a = {elements, order, order, order, true};
  size_t padded = panels_of(order, PANEL) * PANEL;
  Number *rows = memory + DEPTH;
  for (size_t first = 0; first < padded; first += DEPTH) {
    size_t last = first + DEPTH < padded ? first + DEPTH : padded;
    size_t done = NAMED(finish_rows)(&a, first, last, rows, rows, memory);
    if (done < last) return done;
    NAMED(update)(&a, last, first / PANEL, last - first, rows, rows);
  }
  return order;
}
