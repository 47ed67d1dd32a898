/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A source in the cloud, as cloud.sources names it: a kind, and words NAME=VALUE in any order,
 *
 *     entra-sign-in tenant=ID client=ID secret=/etc/vaka/cloud.secret every=2min
 *
 * Interfaces, from Microsoft Learn: "Office 365 Management Activity API reference"; Microsoft
 * Graph's "List signIns", "List directoryAudits", "List alerts_v2". Where national clouds have
 * theirs: "Microsoft Entra authentication & national clouds", "National cloud deployments".
 */
#ifndef VAKA_PULL_SOURCE_H
#define VAKA_PULL_SOURCE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "dial/address.h"

/* id, name, where it is asked, the permission that its application needs */
#define PULL_KINDS(X)                                                                              \
    X(M365, "m365-management", "https://manage.office.com", "ActivityFeed.Read")                   \
    X(SIGN_IN, "entra-sign-in", "https://graph.microsoft.com", "AuditLog.Read.All")                \
    X(AUDIT, "entra-audit", "https://graph.microsoft.com", "AuditLog.Read.All")                    \
    X(ALERTS, "defender-alerts", "https://graph.microsoft.com", "SecurityAlert.Read.All")

enum pull_kind {
#define X(id, name, api, permission) PULL_##id,
    PULL_KINDS(X)
#undef X
        PULL_KIND_COUNT,
};

/* Of PULL_M365: what is asked for, a feed each, and the permission that it needs. */
#define PULL_CONTENTS(X)                                                                           \
    X("Audit.AzureActiveDirectory", "ActivityFeed.Read")                                           \
    X("Audit.Exchange", "ActivityFeed.Read")                                                       \
    X("Audit.SharePoint", "ActivityFeed.Read")                                                     \
    X("Audit.General", "ActivityFeed.Read")                                                        \
    X("DLP.All", "ActivityFeed.ReadDlp")

enum {
    PULL_CONTENT_COUNT = 5,
    PULL_CONTENTS_USUAL = 0xf, /* all but DLP.All */
    PULL_ID_MAX = 128,         /* bytes of a tenant's or client's id */
    PULL_PATH_MAX = 1024,
    PULL_SOURCES_MAX = 16,
};

struct pull_source {
    enum pull_kind kind;
    char tenant[PULL_ID_MAX], client[PULL_ID_MAX];
    char secret[PULL_PATH_MAX]; /* the file's path */
    struct dial_address login, api;
    unsigned contents; /* a bit for each of PULL_CONTENTS */
    nsec every;        /* between two questions */
    nsec begin;        /* how far back the first one goes */
    nsec late;         /* records that are so much late are still found */
    nsec timeout;      /* of one answer */
};

/* ERR_SYNTAX, ERR_INVALID, ERR_LIMIT: diag tells, without a place. */
int pull_source_read(struct slice text, struct pull_source *ret, struct diag *diag) MUST_USE;
/* The same of all; two that would ask for the same are ERR_INVALID. */
int pull_sources_read(const char *const *texts, size_t n, struct pull_source *ret,
                      struct diag *diag) MUST_USE;

const char *pull_kind_name(unsigned kind);
/* What the application needs; `content` counts for PULL_M365 alone. */
const char *pull_permission(enum pull_kind kind, unsigned content);
const char *pull_content_name(unsigned content);
/* How many feeds it has, and the content of the n-th of them (PULL_M365). */
unsigned pull_source_feeds(const struct pull_source *s);
unsigned pull_source_content(const struct pull_source *s, unsigned n);
/* The name of the n-th feed: of its file, too. ERR_NOMEM, ERR_LIMIT: *out is not to be used. */
int pull_source_feed_name(const struct pull_source *s, unsigned n, struct buf *out) MUST_USE;

#endif
