#ifndef PLIMSOLL_CSIMDJSON_H
#define PLIMSOLL_CSIMDJSON_H
#ifdef __cplusplus
extern "C" {
#endif
int csimdjson_padding(void);
#ifdef __cplusplus
}
#endif
#endif
