/* Private to panels.c: the loops of each of the two types for vectors of VECTOR_BYTES, for one set of instructions. */
#if VECTOR_BYTES == 32
#define ROWS 4
#define PARTS_OF_FLOATS 3
#define PARTS_OF_BAND 2
#define FLOATS f32x8
#define DOUBLES f64x4
#define ALL_FLOATS ALL_8
#define ALL_DOUBLES ALL_4
#else
#define ROWS 8
/* Orders are multiples of 32 more often than of 48, and what a last panel lacks is multiplied as well. */
#define PARTS_OF_FLOATS 2
#define PARTS_OF_BAND 4
#define FLOATS f32x16
#define DOUBLES f64x8
#define ALL_FLOATS ALL_16
#define ALL_DOUBLES ALL_8
#endif
#define ROWS_OF_BAND 6
#define LANES (VECTOR_BYTES / sizeof(Number))
#define PANEL (PARTS * LANES)

#define Number float
#define PARTS PARTS_OF_FLOATS
#define Vector FLOATS
#define ALL(x) ((FLOATS){ALL_FLOATS(x)})
#define ROOT __builtin_sqrtf
#define NAMED(function) OF_SET(function, f32)
#include "panels_of_number.h"
#include "panel_solves_of_number.h"
#undef Number
#undef PARTS
#undef Vector
#undef ALL
#undef ROOT
#undef NAMED

#define Number double
#define PARTS 3
#define Vector DOUBLES
#define ALL(x) ((DOUBLES){ALL_DOUBLES(x)})
#define ROOT __builtin_sqrt
#define NAMED(function) OF_SET(function, f64)
#include "panels_of_number.h"
#include "panel_solves_of_number.h"
#include "band_steps_of_number.h"
#undef Number
#undef PARTS
#undef Vector
#undef ALL
#undef ROOT
#undef NAMED

#undef ROWS
#undef PARTS_OF_FLOATS
#undef PARTS_OF_BAND
#undef FLOATS
#undef DOUBLES
#undef ALL_FLOATS
#undef ALL_DOUBLES
#undef ROWS_OF_BAND
#undef LANES
#undef PANEL
#undef VECTOR_BYTES
