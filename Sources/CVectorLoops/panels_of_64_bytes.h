/* Private to panels.c: the loops of each of the two types for vectors of 64 bytes, for one set of instructions. In single
   precision BLAS solves faster. */
#define ROWS 8
#define Number float
#define Vector f32x16
#define LANES 16
#define PANEL 48
#define ALL(x) ((f32x16){ALL_16(x)})
#define ROOT __builtin_sqrtf
#define NAMED(function) OF_SET(function, f32)
#include "panels_of_number.h"
#undef Number
#undef Vector
#undef LANES
#undef PANEL
#undef ALL
#undef ROOT
#undef NAMED

#define Number double
#define Vector f64x8
#define LANES 8
#define PANEL 24
#define ALL(x) ((f64x8){ALL_8(x)})
#define ROOT __builtin_sqrt
#define NAMED(function) OF_SET(function, f64)
#include "panels_of_number.h"
#define PARTS_OF_BAND 4
#define ROWS_OF_BAND 6
#include "panel_solves_of_number.h"
#include "band_steps_of_number.h"
#undef PARTS_OF_BAND
#undef ROWS_OF_BAND
#undef Number
#undef Vector
#undef LANES
#undef PANEL
#undef ALL
#undef ROOT
#undef NAMED
#undef ROWS
