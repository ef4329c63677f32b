#include "session.h"

cmpi_outcome cmpi_host_name(char *text) {
  int length = 0;
  CMPI_CHECK(MPI_Get_processor_name(text, &length));
  return CMPI_DONE;
}

cmpi_outcome cmpi_library_version(char *text) {
  int length = 0;
  CMPI_CHECK(MPI_Get_library_version(text, &length));
  return CMPI_DONE;
}

cmpi_outcome cmpi_error_text(int code, char *text) {
  int length = 0;
  CMPI_CHECK(MPI_Error_string(code, text, &length));
  return CMPI_DONE;
}
