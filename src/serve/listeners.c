/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/listeners.h"

#include <unistd.h>

bool listeners_parse(struct slice text, struct slice *ret_address, uint16_t *ret_port)
{
    uint64_t port;
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':') colon--;
    if (colon == 0 || !slice_to_u64(slice_from(text, colon), &port) || port == 0 || port > 65535)
        return false;
    struct slice address = slice_until(text, colon - 1);
    bool brackets = address.len > 1 && address.ptr[0] == '[' && address.ptr[address.len - 1] == ']';
    if (brackets) address = slice_make(address.ptr + 1, address.len - 2);
    else if (slice_find_byte(address, ':') != SIZE_MAX) return false;
    if (slice_find_byte(address, '[') != SIZE_MAX) return false;
    *ret_address = address;
    *ret_port = (uint16_t)port;
    return address.len > 0;
}

static const enum config_key keys[LISTEN_INPUT_COUNT] = {
#define X(name, text, type, tls) [LISTEN_##name] = CONFIG_LISTEN_##name,
    LISTEN_INPUTS(X)
#undef X
};

const char *listeners_key(enum listen_input input)
{
    return config_settings[keys[input]].key;
}

static const char *why(int error)
{
    return error == ERR_ACCESS  ? "not allowed (ports below 1024 need a socket from systemd or the "
                                  "right to open them)"
           : error == ERR_LIMIT ? "in use"
           : error == ERR_INVALID ? "no address of this machine"
                                  : error_text(error);
}

/* -1: the service manager has none for it. */
static int take_passed(struct service *service, enum listen_input input, struct slice address,
                       uint16_t port)
{
    for (unsigned i = 0; i < service->n_fds; i++) {
        int fd = service->fds[i].fd;
        if (fd < 0 || !listen_is_same(input, address, port, fd)) continue;
        service->fds[i].fd = -1;
        return fd;
    }
    return -1;
}

static int open_one(const struct config *config, struct service *service, enum listen_input input,
                    const char *text, int *ret_fd, struct diag *diag)
{
    struct slice address;
    uint16_t port;
    const char *key = listeners_key(input);
    if (!listeners_parse(slice_of(text), &address, &port))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "%s: `%s` is not an address with a port, such as [::]:5514", key, text);
    int passed = take_passed(service, input, address, port);
    if (passed >= 0) {
        *ret_fd = passed;
        return 0;
    }
    int error = listen_open(input, address, port, (uint32_t)config->listen_buffer, ret_fd);
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: %s: %s", key, text, why(error)) : 0;
}

int listeners_open(const struct config *config, struct service *service,
                   int (*each)(void *ctx, enum listen_input input, struct slice name, int fd),
                   void *ctx, struct diag *diag)
{
    for (unsigned input = 0; input < LISTEN_INPUT_COUNT; input++) {
        const struct config_list *list =
            (const void *)((const char *)config + config_settings[keys[input]].offset);
        for (uint32_t i = 0; i < list->n; i++) {
            int fd;
            int error = open_one(config, service, input, list->items[i], &fd, diag);
            if (error) return error;
            error = each(ctx, input, slice_of(list->items[i]), fd);
            if (error) {
                (void)close(fd);
                return error;
            }
        }
    }
    return 0;
}
