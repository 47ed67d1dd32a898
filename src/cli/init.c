/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka init: a folder with all that vaka serve needs to begin. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/folder.h"
#include "cli/cli.h"
#include "config/config.h"
#include "pki/certificate.h"

enum { CERTIFICATE_DAYS = 825, PATH_SIZE = 4096 };

struct init_context {
    const char *address, *data, *socket, *rules;
    bool high;
};

static const struct cli_option init_options[] = {
    {0, "address", "ADDRESS",
     "Listen on this address of the machine; default: [::], which is all of them.",
     OPTION_TEXT(struct init_context, address)},
    {0, "ports", "standard|high",
     "standard: 514 for syslog, as senders expect it; high: 5514, which needs no privilege. "
     "Default: standard.",
     OPTION_CHOICE(struct init_context, high)},
    {0, "data", "FOLDER", "Where records and alerts are kept; default: /var/lib/vaka.",
     OPTION_TEXT(struct init_context, data)},
    {0, "socket", "PATH", "The socket of the command line; default: /run/vaka/vaka.sock.",
     OPTION_TEXT(struct init_context, socket)},
    {'r', "rules", "PATH", "Sigma rules to use; default: those that come with Vaka.",
     OPTION_TEXT(struct init_context, rules)},
};

/* ---- files ------------------------------------------------------------------------------- */

/* Never over one that is there. */
static int write_new(const char *path, struct slice bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        cli_say("%s: %s", path, strerror(errno));
        return ERR_IO;
    }
    ssize_t n = write(fd, bytes.ptr, bytes.len);
    bool good = n == (ssize_t)bytes.len && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    if (!good) cli_say("%s: could not be written", path);
    return good ? 0 : ERR_IO;
}

/* Who runs vaka serve may be another: the package's group has to come in. */
static int make_folder(const char *path)
{
    struct diag diag;
    int error = folder_make(path, 0750, &diag);
    if (error) cli_say("%s", diag.message);
    return error;
}

/* 32 random bytes: as many as an attacker cannot guess. */
static int make_token(struct buf *out)
{
    unsigned char bytes[32];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return ERR_IO;
    for (size_t i = 0; i < sizeof bytes; i++) buf_printf(out, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

static int write_tokens(const char *path)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_puts(&text,
             "# Who may send over HTTP, one a line: a name, what it may use, and its token.\n"
             "# What there is to use: ingest, elastic, splunk, otlp, journal, metrics.\n"
             "first ingest,elastic,splunk,otlp,journal,metrics ");
    int error = make_token(&text);
    buf_putc(&text, '\n');
    if (error == 0) error = write_new(path, buf_slice(&text), 0600);
    if (text.ptr) explicit_bzero(text.ptr, text.len);
    buf_done(&text);
    return error;
}

/* ---- settings ---------------------------------------------------------------------------- */

struct choice {
    struct config *config;
    const char *folder;
    int error;
};

static void set(struct choice *c, enum config_key key, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void set(struct choice *c, enum config_key key, const char *fmt, ...)
{
    char text[PATH_SIZE];
    struct diag diag;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text) c->error = ERR_LIMIT;
    if (c->error) return;
    c->error = config_set(c->config, key, slice_make(text, (size_t)n), "init", &diag);
    if (c->error) cli_say("%s", diag.message);
}

/* Whole paths: vaka serve may be started from anywhere. */
static void set_path(struct choice *c, enum config_key key, const char *path)
{
    char here[PATH_SIZE];
    if (!path) return;
    if (path[0] == '/') set(c, key, "%s", path);
    else if (getcwd(here, sizeof here)) set(c, key, "%s/%s", here, path);
    else c->error = ERR_IO;
}

static void choose(struct choice *c, const struct init_context *in)
{
    const char *address = in->address ? in->address : "[::]";
    bool brackets = strchr(address, ':') != NULL && address[0] != '[';
    const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
    static const struct {
        enum config_key key;
        int standard, high;
    } ports[] = {
        {CONFIG_LISTEN_SYSLOG_UDP, 514, 5514},  {CONFIG_LISTEN_SYSLOG_TCP, 514, 5514},
        {CONFIG_LISTEN_SYSLOG_TLS, 6514, 6514}, {CONFIG_LISTEN_RELP, 2514, 2514},
        {CONFIG_LISTEN_LUMBERJACK, 5044, 5044}, {CONFIG_LISTEN_HTTP, 8088, 8088},
        {CONFIG_LISTEN_FLOW_UDP, 2055, 2055},   {CONFIG_LISTEN_FLOW_UDP, 4739, 4739},
    };
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        set(c, ports[i].key, "%s%s%s:%d", open, address, close,
            in->high ? ports[i].high : ports[i].standard);
    /* People, and not senders: from this machine, until somebody says otherwise. */
    set(c, CONFIG_LISTEN_WEB, "%s%s%s:8443", open, in->address ? address : "127.0.0.1", close);
    set_path(c, CONFIG_SERVE_FOLDER, in->data);
    set_path(c, CONFIG_SERVE_SOCKET, in->socket);
    set_path(c, CONFIG_RULES, in->rules);
    set(c, CONFIG_LISTEN_TOKENS, "%s/tokens", c->folder);
    set(c, CONFIG_TLS_CERTIFICATE, "%s/server.crt", c->folder);
    set(c, CONFIG_TLS_KEY, "%s/server.key", c->folder);
}

/* ---- the certificate --------------------------------------------------------------------- */

static int write_certificate(const char *folder, char fingerprint[CERTIFICATE_FINGERPRINT + 1])
{
    char host[256] = "localhost", path[PATH_SIZE + 16];
    struct certificate certificate;
    const struct clock clock = clock_system();
    (void)gethostname(host, sizeof host - 1);
    const char *const names[] = {host, "localhost", "127.0.0.1", "::1"};
    int error = certificate_make(&certificate, names, sizeof names / sizeof *names,
                                 clock_realtime(&clock), CERTIFICATE_DAYS);
    if (error) cli_say("the certificate could not be made: %s", error_text(error));
    (void)snprintf(path, sizeof path, "%s/server.crt", folder);
    if (error == 0) error = write_new(path, buf_slice(&certificate.certificate), 0644);
    (void)snprintf(path, sizeof path, "%s/server.key", folder);
    if (error == 0) error = write_new(path, buf_slice(&certificate.key), 0600);
    (void)snprintf(path, sizeof path, "%s/server.sha256", folder);
    if (error == 0) error = write_new(path, slice_of(certificate.fingerprint), 0644);
    memcpy(fingerprint, certificate.fingerprint, sizeof certificate.fingerprint);
    certificate_done(&certificate);
    return error;
}

static int write_config(const struct init_context *in, const char *folder, const char *path)
{
    struct config config;
    struct buf text;
    config_init(&config);
    buf_init(&text, CONFIG_FILE_MAX);
    struct choice choice = {.config = &config, .folder = folder};
    choose(&choice, in);
    if (choice.error == 0) {
        config_write_file(&text, &config);
        choice.error = buf_failed(&text) ? ERR_NOMEM : write_new(path, buf_slice(&text), 0640);
    }
    buf_done(&text);
    config_done(&config);
    return choice.error;
}

static int init_main(const struct invocation *in)
{
    const struct init_context *c = in->ctx;
    char folder[PATH_SIZE], path[PATH_SIZE + 16], fingerprint[CERTIFICATE_FINGERPRINT + 1] = "";
    if (in->n_operands > 1) return cli_usage("init takes one folder");
    const char *named = in->n_operands ? in->operands[0] : "/etc/vaka";
    if (make_folder(named) != 0 || (c->data && make_folder(c->data) != 0)) return EXIT_UNREADABLE;
    if (!realpath(named, folder)) {
        cli_say("%s: %s", named, strerror(errno));
        return EXIT_UNREADABLE;
    }
    (void)snprintf(path, sizeof path, "%s/vaka.yaml", folder);
    int error = write_config(c, folder, path);
    if (error == 0) error = write_certificate(folder, fingerprint);
    (void)snprintf(path, sizeof path, "%s/tokens", folder);
    if (error == 0) error = write_tokens(path);
    if (error) return EXIT_UNREADABLE;
    (void)printf("settings               %s/vaka.yaml\n"
                 "certificate            %s/server.crt\n"
                 "its SHA-256            %s\n"
                 "token for HTTP         in %s (not shown here)\n"
                 "to begin               vaka serve -c %s/vaka.yaml\n"
                 "the first admin        vaka user add NAME --role admin -c %s/vaka.yaml\n",
                 folder, folder, fingerprint, path, folder, folder);
    return EXIT_RAN;
}

const struct command command_init = {
    .name = "init",
    .operands = "[FOLDER]",
    .summary = "make settings, a certificate and a token for vaka serve",
    .description =
        "Writes into FOLDER (/etc/vaka): vaka.yaml with every setting explained, those that are "
        "needed set; a certificate that vouches for itself, and its key; and a token with which "
        "one sender may send over HTTP. Nothing that is there is written over.\n\n"
        "Exit status: 0; 1 something could not be written; 2 the command line could not be "
        "understood.",
    .options = init_options,
    .n_options = sizeof init_options / sizeof *init_options,
    .ctx_size = sizeof(struct init_context),
    .run = init_main,
};
