/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form.h"

bool form_read(const struct form *form, struct slice text, struct event *ev)
{
    (void)form;
    (void)text;
    (void)ev;
    return false;
}
