/* simdjson behind a C interface, for the body of a request: one pass over the top-level fields and
 * the prompt, without allocation in steady state. */
#ifndef PLIMSOLL_CSIMDJSON_H
#define PLIMSOLL_CSIMDJSON_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum {
    CSIMDJSON_OK = 0,
    CSIMDJSON_NOT_JSON = 1,       /* broken JSON or bad UTF-8 */
    CSIMDJSON_NOT_OBJECT = 2,     /* valid so far, but no object */
    CSIMDJSON_TRAILING = 3,       /* content behind the object */
    CSIMDJSON_DUPLICATE_KEY = 4,  /* a key that is interpreted stands twice */
    CSIMDJSON_ESCAPED_KEY = 5,    /* a key that is interpreted is spelled with escapes */
    CSIMDJSON_WRONG_TYPE = 6,     /* an interpreted field has another type than the API says */
    CSIMDJSON_TOO_LARGE = 7       /* out of memory or above simdjson's bound */
};

/* The interpreted fields, in the order of `csimdjson_body.field`. */
enum {
    CSIMDJSON_MODEL = 0,
    CSIMDJSON_STREAM,
    CSIMDJSON_STREAM_OPTIONS,
    CSIMDJSON_MAX_TOKENS,
    CSIMDJSON_MAX_COMPLETION_TOKENS,
    CSIMDJSON_MAX_OUTPUT_TOKENS,
    CSIMDJSON_N,
    CSIMDJSON_BEST_OF,
    CSIMDJSON_MESSAGES,
    CSIMDJSON_PROMPT,
    CSIMDJSON_INPUT,
    CSIMDJSON_INSTRUCTIONS,
    CSIMDJSON_TOOLS,
    CSIMDJSON_RESPONSE_FORMAT,
    CSIMDJSON_TEXT,
    CSIMDJSON_STORE,
    CSIMDJSON_SYSTEM,
    CSIMDJSON_FIELDS
};

/* The raw bytes of a value: `count` is 0 when the field is absent. */
typedef struct {
    uint32_t start;
    uint32_t count;
} csimdjson_range;

/* Bytes of prompt text, or ids of a prompt of ids, in a block whose hash is told; blocks told at
 * most. */
#define CSIMDJSON_BLOCK_BYTES 1024
#define CSIMDJSON_BLOCK_IDS 256
#define CSIMDJSON_BLOCKS 256

typedef struct {
    int32_t fault;         /* CSIMDJSON_OK or one of the faults above */
    int32_t fault_field;   /* index of the field at fault, or -1 */
    csimdjson_range field[CSIMDJSON_FIELDS];
    uint32_t object_end;   /* offset of the closing brace */
    int32_t is_empty;      /* the object has no field at all */
    int32_t stream;        /* 1 for "stream": true */
    int32_t include_usage; /* stream_options.include_usage: 1, 0, or -1 unwritten */
    int32_t store;         /* 0 only for "store": false */
    int64_t max_tokens;    /* -1 when absent or null; likewise the next four */
    int64_t max_completion_tokens;
    int64_t max_output_tokens;
    int64_t n;
    int64_t best_of;
    int32_t has_tools;     /* tools present, not null and not empty */
    int32_t has_response_format; /* or a `text.format` that is more than plain text */
    uint32_t prompt_bytes; /* text of the prompt and JSON of the tools, images left out */
    uint32_t prompt_ids;   /* token ids, where the prompt holds nothing else */
    uint32_t images;
    uint64_t prompt_hash;
    uint32_t block_count;
    uint32_t block_fill;   /* units of the block under way; used by the scan alone */
} csimdjson_body;

typedef struct csimdjson_parser csimdjson_parser;

/* Bytes that must be readable, whatever they hold, behind the text to scan. */
size_t csimdjson_padding(void);
csimdjson_parser *csimdjson_parser_new(void);
void csimdjson_parser_free(csimdjson_parser *parser);
/* Bytes of input the parser's own buffers are sized for. */
size_t csimdjson_parser_capacity(const csimdjson_parser *parser);
/* What a scan of nothing would tell: no field is there. */
void csimdjson_reset(csimdjson_body *out);
/* Scans `text[0..<count)`; `capacity` is at least `count + csimdjson_padding()`. `blocks` takes the
 * hashes of the prompt's leading blocks, each of its block and all before it: equal hashes stand for
 * equal beginnings. `seed` keys all hashes: who does not know it cannot write two texts of one hash. */
void csimdjson_scan(csimdjson_parser *parser, const char *text, size_t count, size_t capacity,
                    uint64_t seed, csimdjson_body *out, uint64_t blocks[CSIMDJSON_BLOCKS]);

#ifdef __cplusplus
}
#endif
#endif
