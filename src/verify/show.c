/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/show.h"

#include "base/json_write.h"

void verify_write_finding(struct buf *out, const struct verify_finding *f)
{
    buf_putc(out, '{');
    json_write_member_string(out, "verdict", slice_of(verify_verdict_text(f->verdict)));
    json_write_member_string(out, "what", slice_of(f->what));
    if (f->file[0]) json_write_member_string(out, "file", slice_of(f->file));
    if (f->seq != VERIFY_NOWHERE) json_write_member_u64(out, "seq", f->seq);
    if (f->offset != VERIFY_NOWHERE) json_write_member_u64(out, "offset", f->offset);
    buf_putc(out, '}');
}

void verify_write_report(struct buf *out, const struct verify_report *r)
{
    json_write_member_string(out, "verdict", slice_of(verify_verdict_text(r->verdict)));
    if (r->verdict != VERIFY_INTACT) {
        json_write_key(out, "first");
        verify_write_finding(out, &r->first);
    }
    json_write_member_u64(out, "size", r->size);
    json_write_member_u64(out, "sealed", r->sealed);
    json_write_member_u64(out, "waiting", r->waiting);
    json_write_member_u64(out, "lost", r->lost);
    json_write_member_u64(out, "removed", r->removed);
    json_write_member_u64(out, "segments", r->segments);
    json_write_member_u64(out, "footers", r->footers);
    json_write_member_u64(out, "journals", r->journals);
    json_write_member_u64(out, "checkpoints", r->checkpoints);
    json_write_member_u64(out, "signed_size", r->signed_size);
    json_write_member_u64(out, "witnessed_size", r->witnessed_size);
    json_write_member_u64(out, "indexes", r->indexes.n);
    json_write_member_u64(out, "indexes_damaged", r->indexes.damaged);
    json_write_member_u64(out, "findings_total", r->findings);
}
