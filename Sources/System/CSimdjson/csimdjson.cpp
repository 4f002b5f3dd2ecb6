#include "csimdjson.h"
#include <simdjson.h>
extern "C" int csimdjson_padding(void) { return simdjson::SIMDJSON_PADDING; }
