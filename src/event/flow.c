/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/flow.h"

#include "base/be.h"

enum {
    SET9_TEMPLATE = 0,
    SET9_OPTIONS = 1,
    IPFIX_TEMPLATE = 2,
    IPFIX_OPTIONS = 3,
    TEMPLATE_ID_MIN = 256,
    ENTERPRISE = 0x8000,
};

bool flow_has_templates(enum record_format format, unsigned set_id)
{
    if (format == RECORD_NETFLOW9) return set_id == SET9_TEMPLATE || set_id == SET9_OPTIONS;
    return set_id == IPFIX_TEMPLATE || set_id == IPFIX_OPTIONS;
}

/* The numbers before the fields; *ret_fields is how many fields follow. */
static int read_head(enum record_format format, struct slice s, struct flow_template *t,
                     size_t *ret_fields, size_t *ret_len)
{
    size_t n = t->options ? 6 : 4;
    if (s.len < 4) return ERR_TRUNCATED;
    t->id = be16(s.ptr);
    size_t count = be16(s.ptr + 2);
    if (format == RECORD_IPFIX && count == 0) n = 4; /* a withdrawal ends here */
    if (s.len < n) return ERR_TRUNCATED;
    *ret_len = n;
    if (t->options && n == 6) {
        size_t second = be16(s.ptr + 4);
        if (format == RECORD_NETFLOW9) { /* both are bytes */
            t->n_scope = (uint16_t)(count / 4);
            count = t->n_scope + second / 4;
        } else {
            t->n_scope = (uint16_t)second;
        }
    }
    *ret_fields = count;
    return 0;
}

int flow_template_read(enum record_format format, unsigned set_id, struct slice s,
                       struct flow_template *ret, size_t *ret_len)
{
    size_t n_fields, at;
    ret->options = set_id == (format == RECORD_NETFLOW9 ? SET9_OPTIONS : IPFIX_OPTIONS);
    ret->n_scope = 0;
    ret->min_len = 0;
    int rc = read_head(format, s, ret, &n_fields, &at);
    if (rc != 0) return rc;
    for (size_t i = 0; i < n_fields; i++) {
        if (s.len - at < 4) return ERR_TRUNCATED;
        struct flow_field f = {.id = be16(s.ptr + at), .len = be16(s.ptr + at + 2)};
        at += 4;
        if (format == RECORD_IPFIX && (f.id & ENTERPRISE)) {
            if (s.len - at < 4) return ERR_TRUNCATED;
            f.id &= (uint16_t)~ENTERPRISE;
            f.enterprise = be32(s.ptr + at);
            at += 4;
        }
        ret->min_len += f.len == FLOW_VARIABLE ? 1 : f.len;
        if (i < FLOW_FIELDS_MAX) ret->fields[i] = f;
    }
    ret->len = *ret_len = at;
    if (n_fields > FLOW_FIELDS_MAX) return ERR_LIMIT;
    ret->n_fields = (uint16_t)n_fields;
    bool withdrawal = format == RECORD_IPFIX && n_fields == 0;
    if (withdrawal) return 0;
    return ret->id < TEMPLATE_ID_MIN || ret->min_len == 0 || ret->n_scope > n_fields ? ERR_INVALID
                                                                                     : 0;
}

int flow_take_field(const struct flow_field *field, struct slice *s, struct slice *ret)
{
    size_t at = 0, len = field->len;
    if (field->len == FLOW_VARIABLE) {
        if (s->len < 1) return ERR_TRUNCATED;
        len = (unsigned char)s->ptr[0];
        at = 1;
        if (len == 255) {
            if (s->len < 3) return ERR_TRUNCATED;
            len = be16(s->ptr + 1);
            at = 3;
        }
    }
    if (len > s->len - at) return ERR_TRUNCATED;
    *ret = slice_make(s->ptr + at, len);
    *s = slice_from(*s, at + len);
    return 0;
}

int flow_record_len(const struct flow_template *t, struct slice s, size_t *ret)
{
    struct slice rest = s, value;
    for (size_t i = 0; i < t->n_fields; i++) {
        int rc = flow_take_field(&t->fields[i], &rest, &value);
        if (rc != 0) return rc;
    }
    *ret = s.len - rest.len;
    return 0;
}
