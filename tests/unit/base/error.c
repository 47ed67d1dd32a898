/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/error.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

TEST(every_code_is_negative_and_has_a_sentence_of_its_own)
{
    static const int codes[] = {
#define X(name, text) name,
        VAKA_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        CHECK(codes[i] < 0);
        CHECK(strcmp(error_text(codes[i]), "unknown error") != 0);
        for (size_t k = 0; k < i; k++) CHECK(strcmp(error_text(codes[i]), error_text(codes[k])));
    }
    CHECK_SLICE(slice_of(error_text(0)), "success");
    CHECK_SLICE(slice_of(error_text(7)), "unknown error");
}

TEST(a_diag_is_filled_and_cut_to_its_room)
{
    struct diag d;
    char text[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK_INT(diag_set(&d, ERR_SYNTAX, "f", 3, 4, "%s", text), ERR_SYNTAX);
    CHECK_INT(strlen(d.message), sizeof d.message - 1);
    CHECK_INT(d.line, 3);
    CHECK_INT(d.column, 4);
    CHECK_INT(diag_set(NULL, ERR_LIMIT, "f", 3, 4, "no room"), ERR_LIMIT);
}

TEST(an_assertion_names_its_place_and_ends_the_process)
{
    int fds[2], status;
    char text[200] = "";
    REQUIRE(pipe(fds) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(fds[1], 2);
        ASSERT(fds[0] < 0);
        _exit(0);
    }
    (void)close(fds[1]);
    CHECK(read(fds[0], text, sizeof text - 1) > 0);
    CHECK(strstr(text, "fds[0] < 0") && strstr(text, "error.c"));
    (void)close(fds[0]);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
