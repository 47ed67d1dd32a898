/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checkpoints, footers and keys as any bytes: what the store takes verify takes too, and
 * understands the same; a key that was taken has one form.
 */
#include "store/checkpoint.h"
#include "store/segment.h"
#include "target.h"
#include "verify/note.h"
#include "verify/segment.h"

static void check_key(struct slice in)
{
    struct checkpoint_key key;
    struct verify_key other;
    struct buf out;
    if (checkpoint_key_read(in, &key) != 0) return;
    buf_init(&out, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&out, &key);
    HOLDS(slice_eq(buf_slice(&out), in));
    HOLDS(verify_key_read(in, &other) == 0 && slice_eq(other.name, slice_of(key.name)) &&
          memcmp(other.public, key.public, sizeof key.public) == 0 && other.ended == key.ended);
    if (key.ended)
        HOLDS(other.end_size == key.end.size && other.end_time == key.end.time &&
              memcmp(&other.end_root, &key.end.root, sizeof key.end.root) == 0);
    buf_done(&out);
}

static void check_note(struct slice in)
{
    static const char key_text[] =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct checkpoint c;
    struct verify_note note;
    struct checkpoint_key key;
    struct verify_key other;
    bool right = verify_note_read(in, &note) == 0;
    if (checkpoint_parse(in, &c) != 0) return;
    HOLDS(right && note.size == c.size && slice_eq(note.body, c.body) &&
          memcmp(&note.root, &c.root, sizeof c.root) == 0);
    HOLDS(checkpoint_key_read(slice_of(key_text), &key) == 0);
    HOLDS(verify_key_read(slice_of(key_text), &other) == 0);
    HOLDS(checkpoint_verify(&c, &key, NULL) == verify_note_check(&note, &other));
}

static void check_footer(struct slice in)
{
    static struct segment_footer f;
    static struct verify_footer v;
    size_t len;
    int error = segment_footer_read(in, &f, &len), other = verify_footer_read(in, &v);
    HOLDS(error != 0 || (other == 0 && len == v.len && f.records == v.records));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    check_key(in);
    check_note(in);
    check_footer(in);
    return 0;
}
