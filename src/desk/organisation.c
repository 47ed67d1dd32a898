/* SPDX-License-Identifier: EUPL-1.2 */
/* What the organisation that keeps watch is called. */
#include "base/json_write.h"
#include "desk/internal.h"

int desk_act_organisation(struct desk *d, struct act *a)
{
    struct slice name = body_text(&a->body, "name", DESK_ORGANISATION_MAX, true);
    if (!body_end(&a->body)) return 0;
    json_write_member_string(&a->log, "name", name);
    return db_run(d->db,
                  "INSERT INTO organisation (tenant, name) VALUES (?1, ?2)"
                  " ON CONFLICT (tenant) DO UPDATE SET name = ?2",
                  DB_WITH(db_number(a->request->tenant), db_text(name)));
}
