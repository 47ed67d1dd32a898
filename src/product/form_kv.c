/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * normalise/kv.c reads pairs, too, and is another language: there nobody said that a text is pairs,
 * so all of it must be, or it is none, and a value ends at the first blank.
 */
#include "product/form_pairs.h"
#include "product/form_read.h"

static struct slice value_of(const struct form *form, struct event *ev,
                             const struct form_pair *pair)
{
    struct slice separator = slice_make(&form->separator, 1);
    if (pair->quoted) return form_unescape(ev, pair->value, SLICE("\"'\\]"), SLICE("\"'\\]"));
    bool escapes = form->separator && !form_is_blank(form->separator);
    return escapes ? form_unescape(ev, pair->value, separator, separator) : pair->value;
}

bool form_kv_read(const struct form *form, struct slice text, struct event *ev)
{
    struct form_pairs pairs = {
        .text = text,
        .marks = SLICE("_-."),
        .separator = form->separator,
        .assign = form->assign ? form->assign : '=',
        .leading = true,
        .quotes = true,
        .commas = true,
        .escapes = true,
    };
    struct form_pair pair;
    bool any = false;
    while (!form_is_cut(ev) && form_pairs_next(&pairs, &pair)) {
        form_add(form, ev, pair.name, value_of(form, ev, &pair));
        any = true;
    }
    return any;
}
