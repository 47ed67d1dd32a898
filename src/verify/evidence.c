/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/evidence.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/le.h"

enum { LEAF_MAX = 2 * 1024 * 1024, LEAF_HEAD = 20, VERSION = 1 };

static bool member(struct slice object, const char *name, struct slice *ret)
{
    return json_find_member(object, name, NULL, ret);
}

static bool text_member(struct slice object, const char *name, struct slice *ret)
{
    struct slice value;
    return member(object, name, &value) && json_string_inside(value, ret);
}

/* The lines, each with a LF. One with an escape is none of ours. */
static int read_lines(struct slice array, struct buf *out)
{
    struct json_parts it;
    struct slice name, value, line;
    json_parts_init(&it, array);
    while (json_parts_next(&it, &name, &value)) {
        if (!json_string_inside(value, &line) || slice_find_byte(line, '\\') != SIZE_MAX)
            return ERR_SYNTAX;
        buf_put(out, line);
        buf_putc(out, '\n');
    }
    return buf_error(out);
}

static bool decode(struct slice text, struct buf *out)
{
    struct base64_decode_ctx ctx;
    size_t n = 0;
    buf_clear(out);
    char *to = buf_reserve(out, BASE64_DECODE_LENGTH(text.len) + 1);
    if (!to) return false;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, (uint8_t *)to, text.len, text.ptr) ||
        !base64_decode_final(&ctx))
        return false;
    out->len = n;
    return true;
}

static bool take_text(struct slice *from, struct slice *ret)
{
    if (from->len < 4) return false;
    size_t len = le32(from->ptr);
    if (len > from->len - 4) return false;
    *ret = slice_make(from->ptr + 4, len);
    *from = slice_from(*from, 4 + len);
    return true;
}

static bool read_leaf(struct slice leaf, struct verify_record *ret)
{
    struct slice rest = slice_from(leaf, LEAF_HEAD);
    if (leaf.len < LEAF_HEAD || leaf.ptr[0] != 0 || leaf.ptr[1] != VERSION) return false;
    ret->format = (uint8_t)leaf.ptr[2];
    ret->flags = (uint8_t)leaf.ptr[3];
    ret->received = (int64_t)le64(leaf.ptr + 4);
    ret->ordinal = le64(leaf.ptr + 12);
    return take_text(&rest, &ret->source) && take_text(&rest, &ret->delivery) &&
           take_text(&rest, &ret->context) && take_text(&rest, &ret->raw) && rest.len == 0;
}

/*
 * The root that leaf and proof give. The path goes up through the tree of `size` leaves: at each
 * step [begin, end) is the subtree in which the leaf is; its sibling's hash is the proof's.
 */
static bool root_of(const struct verify_hash *leaf, uint64_t index, uint64_t size,
                    struct slice proof, struct verify_hash *ret)
{
    bool right[64];
    unsigned n = 0;
    uint64_t begin = 0, end = size;
    struct json_parts it;
    struct slice name, value, text;
    struct verify_hash sibling;
    if (index >= size || size > UINT64_C(1) << 62) return false;
    while (end - begin > 1) {
        uint64_t half = 1;
        while (half * 2 < end - begin) half *= 2;
        right[n] = index >= begin + half;
        if (right[n++]) begin += half;
        else end = begin + half;
    }
    *ret = *leaf;
    json_parts_init(&it, proof);
    while (json_parts_next(&it, &name, &value)) {
        if (n == 0 || !json_string_inside(value, &text) || !verify_hash_read(text, &sibling))
            return false;
        *ret = right[--n] ? verify_node(&sibling, ret) : verify_node(ret, &sibling);
    }
    return n == 0;
}

static const char *check_record(struct slice object, const struct verify_note *note,
                                struct buf *bytes, uint64_t *ret_seq, struct verify_record *ret)
{
    struct slice seq, leaf, proof;
    struct sha256_ctx sha;
    struct verify_hash hash, root;
    if (!member(object, "seq", &seq) || !slice_to_u64(seq, ret_seq) ||
        !text_member(object, "leaf", &leaf) || !member(object, "proof", &proof))
        return "a record is not complete";
    if (!decode(leaf, bytes) || !read_leaf(buf_slice(bytes), ret)) return "a leaf is none";
    sha256_init(&sha);
    sha256_update(&sha, bytes->len, (const uint8_t *)bytes->ptr);
    sha256_digest(&sha, sizeof hash.bytes, hash.bytes);
    if (!root_of(&hash, *ret_seq, note->size, proof, &root)) return "a proof is none";
    return verify_hash_eq(&root, &note->root) ? NULL : "a record is not the one that was signed";
}

/* One that had ended then has signed nothing; nor has one that ended with other records. */
static bool is_believed(const struct verify_key *key, const struct verify_note *note)
{
    return !verify_key_had_ended(key, note->size) && (!key->ended || note->size != key->end_size ||
                                                      verify_hash_eq(&note->root, &key->end_root));
}

/* 1: one of the keys has signed it; 0: none; ERR_NOMEM. */
static int signed_by_one(const struct verify_note *note, const struct verify_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int answer = verify_note_check(note, &keys[i]);
        if (answer == ERR_NOMEM) return answer;
        if (answer == 0 && is_believed(&keys[i], note)) return 1;
    }
    return 0;
}

static int check_signatures(const struct verify_note *note, const struct verify_key *keys,
                            size_t n_keys, const struct verify_key *witnesses, size_t n_witnesses,
                            struct verify_evidence *ret)
{
    int witnessed = signed_by_one(note, witnesses, n_witnesses);
    int own = signed_by_one(note, keys, n_keys);
    if (witnessed < 0 || own < 0) return ERR_NOMEM;
    ret->size = note->size;
    ret->witnessed = witnessed;
    if (!own) ret->what = "the checkpoint is not signed with a key that was given";
    return 0;
}

int verify_evidence(struct slice text, const struct verify_key *keys, size_t n_keys,
                    const struct verify_key *witnesses, size_t n_witnesses,
                    void (*record)(void *ctx, uint64_t seq, const struct verify_record *record),
                    void *ctx, struct verify_evidence *ret)
{
    struct slice format, lines, records, name, value;
    struct verify_note note;
    struct verify_record r;
    struct json_parts it;
    struct buf checkpoint, bytes;
    *ret = (struct verify_evidence){.what = NULL};
    text = slice_trim(text);
    if (!json_is_object(text) || !text_member(text, "format", &format) ||
        !slice_eq(format, SLICE("vaka-evidence-1")) || !member(text, "checkpoint", &lines) ||
        !member(text, "records", &records))
        return ERR_SYNTAX;
    buf_init(&checkpoint, VERIFY_NOTE_MAX);
    buf_init(&bytes, LEAF_MAX);
    int error = read_lines(lines, &checkpoint);
    if (error == 0) error = verify_note_read(buf_slice(&checkpoint), &note);
    if (error == 0) error = check_signatures(&note, keys, n_keys, witnesses, n_witnesses, ret);
    if (error == 0) {
        json_parts_init(&it, records);
        while (!ret->what && json_parts_next(&it, &name, &value)) {
            ret->what = check_record(value, &note, &bytes, &ret->seq, &r);
            if (ret->what) break;
            ret->records++;
            record(ctx, ret->seq, &r);
        }
        if (!ret->what && ret->records == 0) ret->what = "there is no record in it";
        if (ret->what) error = ERR_CORRUPT;
        if (buf_error(&bytes) == ERR_NOMEM) {
            ret->what = NULL;
            error = ERR_NOMEM;
        }
    }
    buf_done(&checkpoint);
    buf_done(&bytes);
    return error;
}
