/* SPDX-License-Identifier: EUPL-1.2 */
/* Lists of indicators: read, kept, loaded and made rules, while memory runs out. */
#include "indicator/keep.h"
#include "indicator/rules.h"
#include "torture.h"

static const char list[] =
    "type;value;comment;expires\n"
    "domain|ip;evil[.]example|198.51.100.7;\"a \"\"b\"\"\nc\";2099-12-31\n"
    ";hxxp://evil[.]example/a;x;\n;198.51.100.0/24;x;\nip;10.0.0.1;;\n;\xc3\x85ke.example;;\n"
    "sha256;0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef;;\n";

static const char fields_text[] = "address: [source.ip, a]\ndomain: [a]\nurl: [a]\nhash: [a]\n"
                                  "email: [a]\n";

static int read_list(void *ctx, struct buf *out)
{
    const struct indicators_options options = {.file = "f", .now = 1};
    struct indicators in;
    struct diag diag = {0};
    (void)ctx;
    int error = indicators_read(slice_of(list), &options, &in, &diag);
    if (error) return error;
    indicators_write(out, &in);
    buf_printf(out, "%u refused\n", in.refused);
    indicators_done(&in);
    return buf_error(out);
}

TEST(a_list_is_read_whole_or_not_at_all)
{
    torture_run(&(struct torture){.run = read_list});
}

static int make_rules(const struct indicators *in, struct buf *out)
{
    struct indicator_fields fields;
    struct diag diag = {0};
    struct sigma_set *set = sigma_set_new();
    if (!set) return ERR_NOMEM;
    const struct indicator_list made = {"feed", "v", LEVEL_HIGH, in};
    int error = indicator_fields_read(&set->arena, "f", slice_of(fields_text), &fields, &diag);
    if (error == 0) error = indicator_rules_add(set, &fields, &made);
    if (error == 0) error = sigma_set_finish(set);
    for (uint32_t i = 0; error == 0 && i < set->n_rules; i++)
        buf_printf(out, "%.*s %u\n", SLICE_FMT(set->rules[i]->doc->title),
                   set->rules[i]->expr->n_children);
    sigma_set_free(set);
    return error;
}

static int rules_of(void *ctx, struct buf *out)
{
    const struct indicators_options options = {.file = "f", .now = 1};
    struct indicators in;
    struct diag diag = {0};
    (void)ctx;
    int error = indicators_read(slice_of(list), &options, &in, &diag);
    if (error) return error;
    error = make_rules(&in, out);
    indicators_done(&in);
    return error ? error : buf_error(out);
}

TEST(a_list_becomes_all_of_its_rules_or_none)
{
    torture_run(&(struct torture){.run = rules_of});
}

static int load_list(void *ctx, struct buf *out)
{
    struct library l;
    struct indicators_kept kept;
    struct diag diag = {0};
    int error = library_open(&l, ctx, false, &diag);
    if (error) return error;
    error = indicators_load(&l, "feed", 1, &kept, &diag);
    library_close(&l);
    if (error) return error;
    indicators_write(out, &kept.in);
    indicators_done(&kept.in);
    return buf_error(out);
}

TEST(a_kept_list_is_loaded_whole_or_not_at_all)
{
    const struct indicators_options options = {.file = "f", .now = 1};
    const struct indicators_origin origin = {SLICE("f"), SLICE("anna"), LEVEL_HIGH,
                                             1790000000 * NSEC_PER_SEC};
    struct library l;
    struct library_name version;
    struct indicators in;
    struct diag diag = {0};
    bool fresh;
    static char folder[256];
    test_write("kept/x", "");
    (void)snprintf(folder, sizeof folder, "%s/indicators", test_path("kept"));
    REQUIRE(library_open(&l, folder, true, &diag) == 0);
    REQUIRE(indicators_read(slice_of(list), &options, &in, &diag) == 0);
    REQUIRE(indicators_keep(&l, "feed", &in, &origin, &version, &fresh, &diag) == 0);
    indicators_done(&in);
    library_close(&l);
    torture_run(&(struct torture){.run = load_list, .ctx = folder});
}
