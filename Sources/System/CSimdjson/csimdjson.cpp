#include "csimdjson.h"

#include <cstring>
#include <new>
#include <simdjson.h>

using namespace simdjson;

struct csimdjson_parser {
    ondemand::parser parser;
};

namespace {

constexpr const char *names[CSIMDJSON_FIELDS] = {
    "model", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "max_output_tokens", "n", "best_of", "messages", "prompt", "input", "instructions", "tools",
    "response_format", "text", "store", "system"};

int field_named(std::string_view key) {
    for (int index = 0; index < CSIMDJSON_FIELDS; index++)
        if (key == names[index]) return index;
    return -1;
}

/* A key between its quotes; on-demand keys are not unescaped, and end at the first bare quote. */
std::string_view raw_key(ondemand::raw_json_string key, bool &escaped) {
    const char *start = key.raw();
    const char *end = start;
    escaped = false;
    while (*end != '"') {
        if (*end == '\\') {
            escaped = true;
            end++;
        }
        end++;
    }
    return std::string_view(start, size_t(end - start));
}

/* Both halves of the product: with a secret factor no difference between two words survives it in a
 * way that can be foreseen (wyhash). */
uint64_t folded(uint64_t word, uint64_t key) {
    unsigned __int128 product = static_cast<unsigned __int128>(word) * key;
    return uint64_t(product) ^ uint64_t(product >> 64);
}

uint64_t key_of(uint64_t seed) { return (seed ^ 0x9E3779B97F4A7C15ull) | 1; }

uint64_t mix(uint64_t hash, uint64_t key, const char *text, size_t count) {
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = folded(hash ^ word, key);
        text += 8;
        count -= 8;
    }
    uint64_t word = 0;
    memcpy(&word, text, count);
    return folded(hash ^ word ^ (uint64_t(count + 1) << 56), key);
}

/* The value of \uXXXX behind its backslash, or -1. */
int32_t code_unit(const char *at, const char *end) {
    if (end - at < 5 || at[0] != 'u') return -1;
    int32_t value = 0;
    for (int index = 1; index < 5; index++) {
        char digit = char(at[index] | 0x20);
        if (digit >= '0' && digit <= '9') value = value << 4 | (digit - '0');
        else if (digit >= 'a' && digit <= 'f') value = value << 4 | (digit - 'a' + 10);
        else return -1;
    }
    return value;
}

/* Bytes in UTF-8 of the text that a raw JSON string stands for: a client that escapes what is not
 * ASCII has no longer a prompt than one that does not. A half of a surrogate pair counts 3. */
size_t text_size(std::string_view raw) {
    size_t size = raw.size();
    const char *end = raw.data() + raw.size();
    const char *at = raw.data();
    while (at < end) {
        at = static_cast<const char *>(memchr(at, '\\', size_t(end - at)));
        if (!at) break;
        int32_t unit = code_unit(at + 1, end);
        if (unit < 0) {
            size -= 1;
            at += 2;
            continue;
        }
        at += 6;
        size -= unit < 0x80 ? 5 : unit < 0x800 ? 4 : 3;
        if (unit < 0xD800 || unit > 0xDBFF || at >= end || *at != '\\') continue;
        int32_t low = code_unit(at + 1, end);
        if (low < 0xDC00 || low > 0xDFFF) continue;
        /* The pair is one character of four bytes. */
        at += 6;
        size -= 5;
    }
    return size;
}

/* What the walk over the prompt adds up. */
struct Prompt {
    csimdjson_body *out;
    uint64_t key;
    uint64_t *blocks;

    void text(std::string_view raw) {
        out->prompt_bytes += uint32_t(text_size(raw));
        while (out->block_fill + raw.size() >= CSIMDJSON_BLOCK_BYTES) {
            size_t rest = CSIMDJSON_BLOCK_BYTES - out->block_fill;
            out->prompt_hash = mix(out->prompt_hash, key, raw.data(), rest);
            raw.remove_prefix(rest);
            end_block();
        }
        out->prompt_hash = mix(out->prompt_hash, key, raw.data(), raw.size());
        out->block_fill += uint32_t(raw.size());
    }

    void id(std::string_view raw) {
        out->prompt_ids++;
        out->prompt_hash = mix(out->prompt_hash, key, raw.data(), raw.size());
        out->block_fill += CSIMDJSON_BLOCK_BYTES / CSIMDJSON_BLOCK_IDS;
        if (out->block_fill >= CSIMDJSON_BLOCK_BYTES) end_block();
    }

    void end_block() {
        out->block_fill = 0;
        if (out->block_count < CSIMDJSON_BLOCKS) blocks[out->block_count++] = out->prompt_hash;
    }
    /* JSON that engines put into the prompt as JSON. */
    void written(std::string_view json) {
        out->prompt_bytes += uint32_t(json.size());
        out->prompt_hash = mix(out->prompt_hash, key, json.data(), json.size());
    }
};

/* The text of a raw string token: without quotes and without the blanks simdjson leaves behind. */
std::string_view inside(std::string_view token) {
    while (!token.empty() && token.back() != '"') token.remove_suffix(1);
    if (token.size() < 2) return std::string_view();
    return token.substr(1, token.size() - 2);
}

/* An embedded image, not a word that happens to start with "data:". */
bool is_data_uri(std::string_view text) {
    return text.substr(0, 5) == "data:" &&
           text.substr(0, 128).find(";base64,") != std::string_view::npos;
}

/* A list or an object as it is written, without the blanks simdjson leaves behind. */
error_code raw_text(ondemand::value value, ondemand::json_type type, std::string_view &into) {
    if (type == ondemand::json_type::array) {
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        if (auto error = array.raw_json().get(into)) return error;
    } else {
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        if (auto error = object.raw_json().get(into)) return error;
    }
    while (!into.empty() && into.back() != ']' && into.back() != '}') into.remove_suffix(1);
    return SUCCESS;
}

/* Lists and objects inside one another that are looked into; deeper ones count as written. */
constexpr int depth_max = 32;

/* `plain`: engines read a string here as text, whatever it looks like. */
error_code walk(ondemand::value value, Prompt &prompt, bool plain, int depth);

/* A content part that is no text: it counts as an image, whatever its data. */
bool is_medium(std::string_view key) {
    return key == "image_url" || key == "input_image" || key == "input_audio" || key == "file" ||
           key == "video_url" || key == "audio_url";
}

/* One message or one content part: its text counts, its images are counted, its data is not. */
error_code walk_object(ondemand::object object, Prompt &prompt, int depth) {
    for (auto field_result : object) {
        ondemand::field field;
        if (auto error = std::move(field_result).get(field)) return error;
        bool escaped;
        std::string_view key = raw_key(field.key(), escaped);
        ondemand::value value = field.value();
        if (is_medium(key)) {
            prompt.out->images++;
            continue;
        }
        if (key == "source") {
            /* Anthropic's image or document: its data stands in an object. */
            ondemand::json_type type;
            if (auto error = value.type().get(type)) return error;
            if (type == ondemand::json_type::object) {
                prompt.out->images++;
                continue;
            }
        }
        if (key == "type" || key == "role" || key == "id" || key == "detail") continue;
        bool plain = key == "text" || key == "content" || key == "arguments" || key == "output";
        if (auto error = walk(value, prompt, plain, depth + 1)) return error;
    }
    return SUCCESS;
}

error_code walk_array(ondemand::array array, Prompt &prompt, bool plain, int depth) {
    for (auto element_result : array) {
        ondemand::value element;
        if (auto error = element_result.get(element)) return error;
        if (auto error = walk(element, prompt, plain, depth + 1)) return error;
    }
    return SUCCESS;
}

error_code walk(ondemand::value value, Prompt &prompt, bool plain, int depth) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    switch (type) {
    case ondemand::json_type::string: {
        std::string_view text = inside(value.raw_json_token());
        if (!plain && is_data_uri(text)) prompt.out->images++;
        else prompt.text(text);
        return SUCCESS;
    }
    case ondemand::json_type::number: {
        std::string_view text = value.raw_json_token();
        prompt.id(text);
        return SUCCESS;
    }
    case ondemand::json_type::object:
    case ondemand::json_type::array: {
        if (depth >= depth_max) {
            std::string_view text;
            if (auto error = raw_text(value, type, text)) return error;
            prompt.written(text);
            return SUCCESS;
        }
        if (type == ondemand::json_type::object) {
            ondemand::object object;
            if (auto error = value.get_object().get(object)) return error;
            return walk_object(object, prompt, depth);
        }
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        return walk_array(array, prompt, plain, depth);
    }
    default: return SUCCESS;
    }
}

/* Integers and null are the API's types; simdjson's error says anything else. */
error_code take_number(ondemand::value value, int64_t &into, bool &wrong) {
    bool null;
    if (auto error = value.is_null().get(null)) return error;
    if (null) return SUCCESS;
    int64_t number;
    if (value.get_int64().get(number) || number < 0) {
        wrong = true;
        return SUCCESS;
    }
    into = number;
    return SUCCESS;
}

error_code take_bool(ondemand::value value, int32_t &into, bool &wrong) {
    bool null;
    if (auto error = value.is_null().get(null)) return error;
    if (null) return SUCCESS;
    bool flag;
    if (value.get_bool().get(flag)) {
        wrong = true;
        return SUCCESS;
    }
    into = flag ? 1 : 0;
    return SUCCESS;
}

error_code take_stream_options(ondemand::value value, csimdjson_body *out, bool &wrong) {
    bool null;
    if (auto error = value.is_null().get(null)) return error;
    if (null) return SUCCESS;
    ondemand::object options;
    if (value.get_object().get(options)) {
        wrong = true;
        return SUCCESS;
    }
    bool seen = false;
    for (auto field_result : options) {
        ondemand::field field;
        if (auto error = std::move(field_result).get(field)) return error;
        bool escaped;
        std::string_view key = raw_key(field.key(), escaped);
        if (escaped) {
            std::string_view plain;
            if (auto error = field.unescaped_key().get(plain)) return error;
            if (plain == "include_usage") wrong = true;
            continue;
        }
        if (key != "include_usage") continue;
        if (seen) wrong = true;
        seen = true;
        ondemand::value flag = field.value();
        if (auto error = take_bool(flag, out->include_usage, wrong)) return error;
        /* A written null is the client's own word: a second key beside it would be two readings. */
        if (out->include_usage < 0) out->include_usage = 0;
    }
    return SUCCESS;
}

/* Chat templates write every tool's schema into the prompt. */
error_code take_tools(ondemand::value value, csimdjson_body *out, uint64_t key) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    if (type == ondemand::json_type::null) return SUCCESS;
    out->has_tools = 1;
    if (type != ondemand::json_type::array && type != ondemand::json_type::object) return SUCCESS;
    std::string_view text;
    if (auto error = raw_text(value, type, text)) return error;
    if (text.find_first_not_of(" \t\r\n", 1) == text.size() - 1) out->has_tools = 0;
    else Prompt{out, key, nullptr}.written(text);
    return SUCCESS;
}

/* A response format is a grammar to engines: it limits the answer and is no part of the prompt. */
error_code take_response_format(ondemand::value value, csimdjson_body *out) {
    bool null;
    if (auto error = value.is_null().get(null)) return error;
    out->has_response_format = null ? 0 : 1;
    return SUCCESS;
}

/* Whether a `text.format` is null or of type `text`, spelled plainly. */
error_code is_plain_format(ondemand::value value, bool &plain) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    plain = type == ondemand::json_type::null;
    if (type != ondemand::json_type::object) return SUCCESS;
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    for (auto field_result : object) {
        ondemand::field field;
        if (auto error = std::move(field_result).get(field)) return error;
        bool escaped;
        std::string_view key = raw_key(field.key(), escaped);
        ondemand::value inner = field.value();
        if (key == "type") plain = inside(inner.raw_json_token()) == "text";
    }
    return SUCCESS;
}

/* The Responses API writes its response format into `text`; only plain text may be cut. */
error_code take_text(ondemand::value value, csimdjson_body *out) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    if (type != ondemand::json_type::object) return SUCCESS;
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    for (auto field_result : object) {
        ondemand::field field;
        if (auto error = std::move(field_result).get(field)) return error;
        bool escaped;
        std::string_view key = raw_key(field.key(), escaped);
        if (!escaped && key != "format") continue;
        bool plain = false;
        if (!escaped)
            if (auto error = is_plain_format(field.value(), plain)) return error;
        if (!plain) out->has_response_format = 1;
    }
    return SUCCESS;
}

error_code take(int index, ondemand::value value, csimdjson_body *out, uint64_t key,
                uint64_t *blocks, bool &wrong) {
    Prompt prompt{out, key, blocks};
    switch (index) {
    case CSIMDJSON_MODEL: {
        ondemand::json_type type;
        if (auto error = value.type().get(type)) return error;
        wrong = type != ondemand::json_type::string;
        return SUCCESS;
    }
    case CSIMDJSON_STREAM: return take_bool(value, out->stream, wrong);
    case CSIMDJSON_STORE: return take_bool(value, out->store, wrong);
    case CSIMDJSON_STREAM_OPTIONS: return take_stream_options(value, out, wrong);
    case CSIMDJSON_MAX_TOKENS: return take_number(value, out->max_tokens, wrong);
    case CSIMDJSON_MAX_COMPLETION_TOKENS:
        return take_number(value, out->max_completion_tokens, wrong);
    case CSIMDJSON_MAX_OUTPUT_TOKENS: return take_number(value, out->max_output_tokens, wrong);
    case CSIMDJSON_N: return take_number(value, out->n, wrong);
    case CSIMDJSON_BEST_OF: return take_number(value, out->best_of, wrong);
    case CSIMDJSON_RESPONSE_FORMAT: return take_response_format(value, out);
    case CSIMDJSON_TOOLS: return take_tools(value, out, key);
    case CSIMDJSON_TEXT: return take_text(value, out);
    default: return walk(value, prompt, true, 0);
    }
}

/* Where a value stands: simdjson knows its start, and for the end the next structural character. */
csimdjson_range range_of(ondemand::value &value, const char *text) {
    std::string_view token = value.raw_json_token();
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' ||
                              token.back() == '\t' || token.back() == '\r'))
        token.remove_suffix(1);
    return csimdjson_range{uint32_t(token.data() - text), uint32_t(token.size())};
}

void fail(csimdjson_body *out, int fault, int field = -1) {
    out->fault = fault;
    out->fault_field = field;
}

}  // namespace

extern "C" {

size_t csimdjson_padding(void) { return SIMDJSON_PADDING; }

csimdjson_parser *csimdjson_parser_new(void) { return new (std::nothrow) csimdjson_parser(); }

void csimdjson_parser_free(csimdjson_parser *parser) { delete parser; }

size_t csimdjson_parser_capacity(const csimdjson_parser *parser) {
    return parser->parser.capacity();
}

void csimdjson_reset(csimdjson_body *out) {
    memset(out, 0, sizeof *out);
    out->fault_field = -1;
    out->store = 1;
    out->max_tokens = out->max_completion_tokens = out->max_output_tokens = -1;
    out->n = out->best_of = -1;
    out->include_usage = -1;
    out->is_empty = 1;
}

void csimdjson_scan(csimdjson_parser *parser, const char *text, size_t count, size_t capacity,
                    uint64_t seed, csimdjson_body *out, uint64_t blocks[CSIMDJSON_BLOCKS]) {
    csimdjson_reset(out);
    uint64_t hash_key = key_of(seed);
    out->prompt_hash = hash_key;
    ondemand::document document;
    if (auto error = parser->parser.iterate(text, count, capacity).get(document))
        return fail(out, error == CAPACITY || error == MEMALLOC ? CSIMDJSON_TOO_LARGE
                                                                : CSIMDJSON_NOT_JSON);
    ondemand::json_type type;
    if (document.type().get(type)) return fail(out, CSIMDJSON_NOT_JSON);
    if (type != ondemand::json_type::object) return fail(out, CSIMDJSON_NOT_OBJECT);
    ondemand::object object;
    if (document.get_object().get(object)) return fail(out, CSIMDJSON_NOT_JSON);
    for (auto field_result : object) {
        ondemand::field field;
        if (std::move(field_result).get(field)) return fail(out, CSIMDJSON_NOT_JSON);
        out->is_empty = 0;
        bool escaped;
        std::string_view key = raw_key(field.key(), escaped);
        if (escaped) {
            std::string_view plain;
            if (field.unescaped_key().get(plain)) return fail(out, CSIMDJSON_NOT_JSON);
            int index = field_named(plain);
            if (index >= 0) return fail(out, CSIMDJSON_ESCAPED_KEY, index);
            continue;
        }
        int index = field_named(key);
        if (index < 0) continue;
        if (out->field[index].count) return fail(out, CSIMDJSON_DUPLICATE_KEY, index);
        ondemand::value value = field.value();
        out->field[index] = range_of(value, text);
        if (out->field[index].count == 0) out->field[index].count = 1;
        bool wrong = false;
        if (take(index, value, out, hash_key, blocks, wrong))
            return fail(out, CSIMDJSON_NOT_JSON, index);
        if (wrong) return fail(out, CSIMDJSON_WRONG_TYPE, index);
    }
    if (document.current_location().error() != OUT_OF_BOUNDS)
        return fail(out, CSIMDJSON_TRAILING);
    const char *end = text + count;
    while (end > text && end[-1] != '}') end--;
    if (end == text) return fail(out, CSIMDJSON_NOT_JSON);
    out->object_end = uint32_t(end - 1 - text);
    /* Numbers beside text are not a prompt of ids: a few must not stand for a long text. */
    if (out->prompt_bytes > 0) {
        out->prompt_bytes += 4 * out->prompt_ids;
        out->prompt_ids = 0;
    }
}

}  // extern "C"
