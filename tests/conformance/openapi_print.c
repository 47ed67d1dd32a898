/* SPDX-License-Identifier: EUPL-1.2 */
/* Prints the document of the API, as the program serves it. */
#include <stdio.h>

#include "web/openapi.h"

int main(void)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    openapi_write(&text);
    bool good = !buf_failed(&text) && fwrite(text.ptr, 1, text.len, stdout) == text.len;
    buf_done(&text);
    return good ? 0 : 1;
}
