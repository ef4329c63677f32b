/* The library interface of LLVM's libFuzzer (compiler-rt/lib/fuzzer/FuzzerInterface.h). */
#ifndef LAYERBUDGET_LIBFUZZER_H
#define LAYERBUDGET_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/* Fuzzes until it finds a crash or its limits are reached; ends the process itself on a crash. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
