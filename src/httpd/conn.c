/* SPDX-License-Identifier: EUPL-1.2 */
#include "httpd/conn.h"

#include <stdlib.h>

void *httpd_conn_begin(struct httpd_conns *conns, struct MHD_Connection *connection,
                       void **socket_context, size_t size, nsec now)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct httpd_conn *conn = calloc(1, size);
    *socket_context = conn;
    if (!conn) return NULL;
    conn->fd = fd ? fd->connect_fd : -1;
    conn->since = now;
    ip_write(from ? from->client_addr : NULL, conn->address);
    conn->next = conns->first;
    if (conns->first) conns->first->prev = conn;
    conns->first = conn;
    conns->n++;
    return conn;
}

void httpd_conn_end(struct httpd_conns *conns, struct httpd_conn *conn)
{
    if (!conn) return;
    if (conn->prev) conn->prev->next = conn->next;
    else conns->first = conn->next;
    if (conn->next) conn->next->prev = conn->prev;
    conns->n--;
    free(conn);
}

void *httpd_conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}
