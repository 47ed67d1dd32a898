/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The processes of serve and who may talk to whom. A channel that is not in this table does not
 * exist: the supervisor makes those, and no process can make one itself.
 */
#ifndef VAKA_SERVE_ROLES_H
#define VAKA_SERVE_ROLES_H

/* id, name, sandbox */
#define SERVE_ROLES(X)                                                                             \
    X(STORE, "store", SANDBOX_KEEPER)     /* keeps what came before anybody is told it is safe */  \
    X(TRIAGE, "triage", SANDBOX_DATABASE) /* alerts, and how far records were matched */           \
    X(DETECT, "detect", SANDBOX_DETECTOR) /* all rules on all records, and correlations */         \
    X(UNWRAP, "unwrap", SANDBOX_SERVANT)  /* requests and packets → records */                   \
    X(COLLECT, "collect", SANDBOX_RECEIVER) /* sockets and files → records and requests */       \
    X(CONTROL, "control", SANDBOX_LISTENER) /* the local command line */                           \
    X(SEAL, "seal", SANDBOX_SEALER)         /* journals → segments; the tree, its checkpoints */ \
    X(SIGN, "sign", SANDBOX_SIGNER)         /* has the key that signs, and nothing else */         \
    X(WITNESS, "witness", SANDBOX_CALLER)   /* asks witnesses elsewhere to sign as well */         \
    X(PULL, "pull", SANDBOX_PULLER)         /* fetches records from the cloud */                   \
    X(INDEX, "index", SANDBOX_INDEXER)      /* what searches pass over blocks by */                \
    X(RETRO, "retro", SANDBOX_DETECTOR)     /* new rules on what is stored */                      \
    X(ACCOUNT, "account", SANDBOX_DATABASE) /* who may do what */                                  \
    X(OIDC, "oidc", SANDBOX_PULLER)         /* asks the identity provider */                       \
    X(WEB, "web", SANDBOX_FRONT)            /* the API, over HTTPS */                              \
    X(ONCALL, "oncall", SANDBOX_DATABASE)   /* who is told of what, and who has it */              \
    X(NOTIFY, "notify", SANDBOX_PULLER)     /* tells people, by providers */                       \
    X(SEARCH, "search", SANDBOX_SEARCHER)   /* records for who asks there, and who did */          \
    X(LIBRARY, "library", SANDBOX_LIBRARIAN) /* rules, lists and searches that people keep */      \
    X(CANARY, "canary", SANDBOX_PROBER)      /* proves that all of this is awake */

#define SERVE_PEERS(X)                                                                             \
    X(COLLECT, STORE)   /* batches → ← stored, how matching keeps up */                        \
    X(COLLECT, UNWRAP)  /* requests → ← answers */                                             \
    X(UNWRAP, STORE)    /* batches → ← stored */                                               \
    X(STORE, DETECT)    /* journals, how far they are durable → ← from where on, how far */    \
    X(DETECT, TRIAGE)   /* alerts, how far it is → ← where to begin */                         \
    X(TRIAGE, STORE)    /* how far everything is matched → */                                    \
    X(CONTROL, TRIAGE)  /* questions, acts → ← alerts, what became */                          \
    X(STORE, SEAL)      /* journals, how far they are durable → ← how far they are sealed */   \
    X(SEAL, SIGN)       /* checkpoints → ← signatures */                                       \
    X(SEAL, WITNESS)    /* checkpoints, proofs → ← signatures of witnesses */                  \
    X(PULL, COLLECT)    /* batches → ← stored */                                               \
    X(STORE, INDEX)     /* how matching keeps up → */                                            \
    X(STORE, RETRO)     /* how matching keeps up → */                                            \
    X(RETRO, TRIAGE)    /* alerts → ← heard */                                                 \
    X(ACCOUNT, OIDC)    /* who wants to log in → ← where to, and who it is */                  \
    X(CONTROL, ACCOUNT) /* what is to be done to accounts → ← what became of it */             \
    X(WEB, ACCOUNT)     /* who asks, what is to be done to accounts → ← who that is */         \
    X(WEB, TRIAGE)      /* acts → ← what became, that there is news */                         \
    X(TRIAGE, ONCALL)   /* incidents to be paged for → ← what became of them */                \
    X(WEB, ONCALL)      /* acts → ← what became */                                             \
    X(CONTROL, ONCALL)  /* acts → ← what became */                                             \
    X(ONCALL, NOTIFY)   /* attempts → ← what became of them, answers, how providers are */     \
    X(WEB, NOTIFY)      /* what providers tell → ← what they are answered, how they are */     \
    X(WEB, SEARCH)      /* queries, who looks → ← what was found, that it is written down */   \
    X(WEB, LIBRARY)     /* changes of rules, lists, searches → ← what became */                \
    X(WEB, SEAL)        /* holds → ← what became */                                            \
    X(CANARY, COLLECT)  /* connections → */                                                      \
    X(CANARY, DETECT)   /* what it saw of a probe → ← that */                                  \
    X(CANARY, TRIAGE)   /* the same */                                                             \
    X(CANARY, ONCALL)   /* the same, and outages to be paged for → ← taken */                  \
    X(CANARY, NOTIFY)   /* the same */                                                             \
    X(CONTROL, CANARY)  /* drills → ← what became */                                           \
    X(WEB, CANARY)      /* the same */

enum serve_role {
#define X(id, name, sandbox) ROLE_##id,
    SERVE_ROLES(X)
#undef X
        ROLE_COUNT,
};

/*
 * Where processors are short, the way to the ack goes first, then matching, then sealing: what is
 * matched or sealed later was safe all the time. Indexes are made when nobody needs it.
 */
enum { NICE_DETECT = 5, NICE_SEAL = 15, NICE_INDEX = 19 };

/* Who reports on itself: the processes above, and the one that started them. */
enum { ROLE_SUPERVISOR = ROLE_COUNT, REPORT_COUNT = ROLE_COUNT + 1 };

static inline const char *serve_role_name(unsigned role)
{
    static const char *const names[] = {
#define X(id, name, sandbox) name,
        SERVE_ROLES(X)
#undef X
            "supervisor"};
    return role < REPORT_COUNT ? names[role] : "?";
}

#endif
