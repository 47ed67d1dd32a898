/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/forwarded.h"

int api_proxies_read(const char *const *texts, size_t n, struct api_proxies *ret, struct diag *diag)
{
    *ret = (struct api_proxies){.n = 0};
    for (size_t i = 0; i < n && i < API_PROXIES_MAX; i++) {
        const char *wrong = cidr_read(slice_of(texts[i]), &ret->of[i]);
        if (wrong)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "web.proxies: %s: %s", texts[i], wrong);
        ret->n++;
    }
    return 0;
}

static bool is_proxy(const struct api_proxies *p, struct slice address)
{
    for (size_t i = 0; i < p->n; i++)
        if (cidr_contains(&p->of[i], address)) return true;
    return false;
}

/* "192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]:4711"; empty: none of them. */
static struct slice address_of(struct slice entry)
{
    entry = slice_trim(entry);
    if (slice_starts_with(entry, SLICE("["))) {
        (void)slice_split(slice_from(entry, 1), ']', &entry, &(struct slice){0});
        return ip_is(entry) ? entry : SLICE_NONE;
    }
    entry.len = ip_len(entry);
    return entry;
}

void api_proxies_find(const struct api_proxies *p, struct slice peer, struct slice forwarded,
                      char ret[IP_TEXT_MAX])
{
    struct slice address = peer;
    ret[0] = '\0';
    while (slice_copy(address, ret, IP_TEXT_MAX) && is_proxy(p, address) && forwarded.len) {
        size_t comma = forwarded.len;
        while (comma > 0 && forwarded.ptr[comma - 1] != ',') comma--;
        address = address_of(slice_from(forwarded, comma));
        forwarded.len = comma ? comma - 1 : 0;
        if (!address.len) return;
    }
}
